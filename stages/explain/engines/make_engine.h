#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/engines/engine_choice.h"
#include "stages/explain/model/network.h"
#include "stages/frame/description.h"

namespace gradcam {

/// The engine for a network cut at `layers`: of all that can run it and that `options.engine` and
/// `options.precision` allow, the fastest on this machine that agrees with fp32 (int8 only when
/// asked for). What was measured is remembered in the network's cache folder. Throws UserError:
/// kUsage for a layer, engine or precision that is not to be had, kModel for a network that cannot
/// run.
ChosenEngine make_engine(const Network& network, const std::vector<std::string>& layers,
                         const ModelDescription& description, const ExplainOptions& options,
                         Choosing choosing = Choosing::kMeasured);

/// options.threads, or one per core.
int engine_threads(const ExplainOptions& options);

}  // namespace gradcam
