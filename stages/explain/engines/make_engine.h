#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/engines/engine_choice.h"
#include "stages/explain/model/network.h"
#include "stages/frame/description.h"

namespace gradcam {

/// The engine for a network cut at `layers`. All engine_kinds() that `options.engine` and
/// `options.precision` allow and that can run the network are compared; the fastest on this machine
/// that agrees with fp32 is taken. The choice is remembered in the network's cache folder; an
/// engine that is taken by it has shown then that it computes the network, and is not tried again.
/// Throws UserError: kUsage for a layer, engine or precision that is not to be had, kModel for a
/// network that cannot run; and Stopped.
ChosenEngine make_engine(const Network& network, const std::vector<std::string>& layers,
                         const ModelDescription& description, const ExplainOptions& options,
                         Choosing choosing = Choosing::kMeasured, const Waiting& waiting = {});

/// The threads that compute: options.threads, or one per core.
int engine_threads(const ExplainOptions& options);

}  // namespace gradcam
