#pragma once

#include <functional>
#include <map>
#include <memory>
#include <openvino/core/node.hpp>
#include <optional>
#include <string>
#include <vector>

namespace gradcam {

/// The path of the PyTorch module that a node lies in, "layer4.2.relu"; "" = in none, nullopt =
/// nobody knows.
using ModuleOf = std::function<std::optional<std::string>(const ov::Node&)>;

/// The modules of nodes that are to be named otherwise than by `module_of`. OpenVINO's converter
/// gives the nodes of a module that several others call (one SiLU for all) one path wherever they
/// stand: that of the last that registered it. Here they are named after their caller, as PyTorch
/// and its exporter to ONNX do it: "model.15.cv2.act" behind "model.15.cv2.conv".
/// `nodes`: in the order of the computation.
std::map<const ov::Node*, std::string> modules_by_caller(
    const std::vector<std::shared_ptr<ov::Node>>& nodes, const ModuleOf& module_of);

}  // namespace gradcam
