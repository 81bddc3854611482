#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stages/explain/graph/cut_result.h"
#include "stages/explain/graph/graph_marks.h"
#include "stages/explain/model/model.h"
#include "stages/frame/description.h"

namespace torch::jit {
struct GraphFunction;
}

namespace gradcam {

/// Any TorchScript file, any layer, CPU or CUDA: the network as one frozen graph, cut at the target
/// layers. In front of the cut nothing requires a gradient, so autograd records the tail only, and
/// an explanation costs a forward pass plus the backward of the tail.
class CutGraph {
 public:
  /// `description`: size and channels of the input, and which element is the output when forward
  /// returns a tuple or list. Throws UserError(kUsage) for a layer that is not there (near names
  /// are listed), gives nothing spatial or cannot be cut; UserError(kModel) for a network that
  /// cannot run, that gives other numbers each time, or whose output is no tensor of floats, one
  /// row or more per picture.
  CutGraph(const Model& model, const std::vector<std::string>& layers,
           const ModelDescription& description);
  /// The same for a graph that mark_layers(model, layers) has marked already.
  CutGraph(const Model& model, const std::vector<std::string>& layers, const MarkedGraph& marked,
           const ModelDescription& description);
  ~CutGraph();

  /// `input`: float [N, C, H, W] on the model's device, normalised. Recorded by autograd, unless
  /// there is an obstacle.
  CutResult run(const at::Tensor& input);
  /// Why no gradient leads from the output to the layers, which it names; empty = one does.
  const std::string& gradient_obstacle() const { return gradient_obstacle_; }
  /// The same network without autograd and without a cut.
  at::Tensor forward_only(const at::Tensor& input);
  /// Shape of the output of one picture.
  std::vector<std::int64_t> output_shape() const { return output_shape_; }

 private:
  void build(const MarkedGraph& marked, const std::vector<bool>& is_leaf);
  std::vector<bool> leaves_of(const MarkedGraph& marked, const at::Tensor& input);
  void probe(const MarkedGraph& marked, const at::Tensor& input);
  CutResult run_first(const at::Tensor& input);
  void require_shapes(const CutResult& result) const;
  void require_same_again(const MarkedGraph& marked, const CutResult& result,
                          const at::Tensor& input);
  std::string obstacle_of(const CutResult& result) const;
  at::Tensor select(const c10::IValue& returned) const;

  Model model_;
  std::vector<std::string> layers_;
  OutputChoice output_;
  std::vector<std::int64_t> output_shape_;
  std::string gradient_obstacle_;
  std::unique_ptr<torch::jit::GraphFunction> cut_;
  std::unique_ptr<torch::jit::GraphFunction> whole_;  ///< made when it is first asked for
};

/// The network's graph with a mark at each of `layers`. Throws UserError(kUsage) for a layer that
/// is not there (near names are listed) or lies in control flow.
MarkedGraph mark_layers(const Model& model, const std::vector<std::string>& layers);

/// The tensor that `choice` names in what a forward returned; nullopt if there is none.
std::optional<at::Tensor> output_tensor(const c10::IValue& returned, const OutputChoice& choice);

}  // namespace gradcam
