#pragma once

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The code of a loaded TorchScript module, as graphs that may be changed. Internal to
/// stages/explain.
namespace gradcam {

/// One method of one sub-module; scripted modules of one class share it.
struct ModuleGraph {
  std::string layer;          ///< the first sub-module with this code; "" = the module itself
  torch::jit::Module module;  ///< that sub-module
  std::shared_ptr<torch::jit::Graph> graph;
};

/// Each graph once. Calls of plain functions in them (torch.nn.functional of scripted code) are
/// replaced by what the functions do; calls of sub-modules stay.
std::vector<ModuleGraph> graphs_of(const torch::jit::Module& module);

/// All nodes of a block and of the blocks in them, in the order in which they run.
std::vector<torch::jit::Node*> nodes_of(torch::jit::Block* block);

/// The tensor of a constant that is one.
std::optional<at::Tensor> tensor_constant(const torch::jit::Node* node);

/// What a value is before the code runs: a constant, or an attribute of `self`, the module that the
/// graph belongs to.
std::optional<c10::IValue> known_value(const torch::jit::Value* value,
                                       const torch::jit::Module& self);

/// The place of the argument `name` of an operator of ATen; nullopt: it has none.
std::optional<std::size_t> argument(const torch::jit::Node* node, const std::string& name);

}  // namespace gradcam
