#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace ov {
class Model;
}

namespace gradcam {

/// The part of a TorchScript network in front of the cut (SplitGraph::features) as a model of
/// OpenVINO, made in memory from its graph. The weights are shared, not copied.
/// `graph`: frozen, picture → tuple of tensors; it is not changed. The model takes a float picture
/// [count, channels, height, width]; its outputs are those of the tuple, in their order.
/// Throws std::runtime_error with one line that names what OpenVINO has no form for: an operation,
/// a type of constants, a result whose type is not known or whose shape depends on the values.
std::shared_ptr<ov::Model> to_openvino(const torch::jit::Graph& graph, int count, int channels,
                                       int height, int width);

}  // namespace gradcam
