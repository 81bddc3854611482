#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <openvino/core/model.hpp>
#include <optional>
#include <string>
#include <vector>

#include "stages/explain/import/known_values.h"

namespace gradcam {

using Ints = std::vector<std::int64_t>;
using JitValues = std::vector<torch::jit::Value*>;

/// A dimension counted from the front; the files count from the end, too, below 0.
std::size_t from_front(std::int64_t axis, std::size_t dims);

/// Padding as ATen takes it: begin and end of each dimension, the last dimension first.
Ints last_first(const Ints& begin, const Ints& end);

/// A TorchScript graph under construction from a model of OpenVINO, whose shapes are all known for
/// one picture. The rules of the operations (operations.h) see their inputs through it and add
/// nodes to it. Where a value holds the pictures of a batch is followed, so that shapes which the
/// file states for one picture do not bind the graph to one.
class GraphBuilder {
 public:
  GraphBuilder(torch::jit::Graph& graph, const ov::Model& model) : graph_(graph), known_(model) {}

  torch::jit::Graph& graph() { return graph_; }
  bool depends_on_picture(const ov::Output<ov::Node>& port) const {
    return known_.depends_on_picture(port);
  }

  /// The value of an input of a node: what set() was told, or a constant.
  torch::jit::Value* input(const ov::Node& node, std::size_t i);
  /// The same as floats: dynamically quantised networks multiply whole numbers, which ATen does
  /// not.
  torch::jit::Value* float_input(const ov::Node& node, std::size_t i);
  /// The same for all inputs of the node.
  JitValues inputs(const ov::Node& node);
  /// The value of an input that does not depend on the picture; nullopt if it does.
  std::optional<at::Tensor> known(const ov::Node& node, std::size_t i);
  /// As numbers. Throws std::runtime_error if the input depends on the picture.
  Ints ints(const ov::Node& node, std::size_t i);

  /// The result of an operator of ATen ("relu"), chosen by its arguments as Python does. `named`:
  /// those that go by their names.
  torch::jit::Value* call(const std::string& name,
                          const std::vector<torch::jit::NamedValue>& arguments,
                          const std::vector<torch::jit::NamedValue>& named = {});
  torch::jit::Value* list(const JitValues& tensors);
  /// A list of these sizes, but for that of `axis`, which is the size of `like` there.
  torch::jit::Value* sizes_like(torch::jit::Value* like, std::size_t axis, const Ints& sizes);

  void set(const ov::Output<ov::Node>& port, torch::jit::Value* value) { values_[port] = value; }

  /// The dimension of a node's outputs that grows with the number of pictures; nullopt = it is not
  /// known.
  std::optional<std::size_t> batch_axis(const ov::Node& node) const;
  void set_batch_axis(const ov::Node& node, std::optional<std::size_t> axis);

 private:
  torch::jit::Graph& graph_;
  KnownValues known_;
  std::map<ov::Output<ov::Node>, torch::jit::Value*> values_;
  std::map<const ov::Node*, std::size_t> batch_axes_;
};

/// Adds what an operation computes; one value for each of its outputs. Throws std::runtime_error
/// that says what of it has no form in TorchScript.
using Rule = std::function<JitValues(GraphBuilder&, const ov::Node&)>;
using Rules = std::map<std::string, Rule>;

}  // namespace gradcam
