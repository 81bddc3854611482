#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/description.h"
#include "stages/explain/engine.h"
#include "stages/explain/network.h"

namespace gradcam {

/// The engine for a network cut at `layers`: OpenVINO for a bundle at the layer it was made for,
/// else TorchScript, unless `options.engine` says otherwise. Throws UserError: kUsage for a layer,
/// engine or precision that is not to be had, kModel for a network that cannot run.
std::unique_ptr<Engine> make_engine(const Network& network, const std::vector<std::string>& layers,
                                    const ModelDescription& description,
                                    const ExplainOptions& options);

}  // namespace gradcam
