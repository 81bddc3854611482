#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstddef>
#include <memory>
#include <string>

namespace ov {
class Model;
}

namespace gradcam {

/// What to_torchscript() calls the value of an output of the n-th of the model's ordered nodes.
std::string value_name(std::size_t node, std::size_t output);

/// The same with its first two dimensions in each other's place, where it has pictures second.
std::string turned_name(std::size_t node, std::size_t output);

/// The part of a model that computes what `features` returns, a half of the graph that
/// to_torchscript() made of it: picture → tuple of tensors. So the nodes of the file itself run,
/// those of a quantised network as whole numbers. Weights are shared. For that many pictures, if
/// the shapes in the file allow it. Null where a value of the tuple is none of the model's own.
std::shared_ptr<ov::Model> cut_model(const ov::Model& whole, const torch::jit::Graph& features,
                                     int count);

}  // namespace gradcam
