#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stages/explain/model/model.h"
#include "stages/frame/description.h"

/// Finds where in a TorchScript graph a sub-module's output is. Internal to stages/explain.
namespace gradcam {

struct Mark {
  std::string layer;
  torch::jit::Node* node;  ///< the clone; its input is the layer's output
  bool in_control_flow;    ///< inside a branch or loop that freezing could not resolve
};

/// Of a layer in control flow, for messages.
constexpr const char* kInBranch = "lies inside a branch or loop of the scripted code";
/// Behind the size of a picture that a network cannot run on, for messages.
constexpr const char* kOtherSize =
    " (--input-size HxW, or a description's input_size, says another)";

/// The marks of a graph (or of its copy), in node order.
std::vector<Mark> marks_of(torch::jit::Graph& graph);

/// The forward of a module as one frozen graph (weights are constants, no calls left) in which the
/// output of each wanted sub-module passes through an `aten::clone` of its own, the mark.
///
/// The marks are set before freezing: freezing folds batch norms into convolutions and dissolves
/// the sub-modules, after which a layer's name no longer leads to its value. They are clones, so
/// that an in-place operation behind a layer (relu_) does not overwrite its activation.
class MarkedGraph {
 public:
  /// `wanted` is asked once per sub-module name (as in named_modules()). Throws UserError(kModel)
  /// for a forward that is not as the program wants it.
  MarkedGraph(const Model& model, const std::function<bool(const std::string& layer)>& wanted);

  struct Shape {
    std::string layer;
    std::vector<std::int64_t> shape;
    std::string obstacle;
  };

  /// Input: the picture only. Output: what forward returns.
  const std::shared_ptr<torch::jit::Graph>& graph() const { return graph_; }
  /// In the order of the graph: a layer that is called several times is marked at its last call.
  const std::vector<Mark>& marks() const { return marks_; }
  /// Output shape of each mark for an input of zeros, 1 x channels x height x width. Throws
  /// UserError(kModel) if forward fails.
  std::vector<Shape> shapes(const ModelDescription& description) const;

 private:
  Model model_;
  std::shared_ptr<torch::jit::Graph> graph_;
  std::vector<Mark> marks_;
};

/// Puts a copy behind a value: all that comes later reads the copy, so that an operation which
/// writes in place (relu_) does not overwrite the value. The clone.
torch::jit::Node* insert_clone(torch::jit::Graph& graph, torch::jit::Value* value);

/// Of a value that is a constant tensor.
std::optional<at::Tensor> constant_tensor(const torch::jit::Value* value);

/// Makes the graph return the tuple (what it returned, values…): a graph may have one output only.
void return_also(torch::jit::Graph& graph, const std::vector<torch::jit::Value*>& values);

}  // namespace gradcam
