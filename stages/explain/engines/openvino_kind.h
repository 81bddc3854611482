#pragma once

#include <string>
#include <vector>

#include "stages/explain/engines/engine_kinds.h"

/// OpenVINO as one of engine_kinds(): on the CPU it runs the features, either of a bundle or made
/// from the TorchScript graph (torch_to_openvino.h); LibTorch runs the head.
namespace gradcam {

std::string openvino_obstacle(const Network& network, const std::vector<std::string>& layers);
std::vector<EngineCandidate> openvino_candidates(const EngineRequest& request);
std::string openvino_format_obstacle(const EngineRequest& request);
std::string openvino_version();

}  // namespace gradcam
