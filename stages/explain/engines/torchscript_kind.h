#pragma once

#include <string>
#include <vector>

#include "stages/explain/engines/engine_kinds.h"

/// LibTorch as one of engine_kinds(): the whole graph, or split at its layers, in several forms.
namespace gradcam {

std::string torchscript_obstacle(const Network& network, const std::vector<std::string>& layers);
std::vector<EngineCandidate> torchscript_candidates(const EngineRequest& request);
std::string torchscript_format_obstacle(const EngineRequest& request);
std::string torchscript_version();

}  // namespace gradcam
