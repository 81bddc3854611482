#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "stages/explain/graph/cut_result.h"
#include "stages/explain/tasks/scalar.h"
#include "stages/frame/description.h"

namespace torch::jit {
struct GraphFunction;
}

namespace gradcam {

/// The part of a network behind the cut, differentiated by LibTorch.
///
/// Where it ends in a linear layer, as classifiers do, that layer is kept apart: the gradient of
/// class k at its input is row k of its weights, so that there is no need to read all of them a
/// second time (8 MB for a ResNet-50, half of what an explanation costs on top of a forward pass).
/// Where nothing lies between but the mean over all places, the same number is the gradient at each
/// place, and there is nothing to differentiate.
class Head {
 public:
  struct Result {
    at::Tensor output;  ///< [N, …]
    /// Where differentiation begins: what the last layer takes, or `output`. Undefined where there
    /// is nothing to differentiate.
    at::Tensor end;
    std::vector<at::Tensor> inner{};  ///< activations of the target layers in the head
  };

  /// `graph`: SplitGraph::head, of which `layers` target layers are arguments and `inner` come out
  /// of it. `output` as in CutGraph.
  Head(const std::shared_ptr<torch::jit::Graph>& graph, const OutputChoice& output,
       std::size_t layers = 1, std::size_t inner = 0);
  ~Head();
  Head(Head&&) noexcept;

  /// Recorded by autograd, unless that is off. `output`: that of the whole network, if it is known
  /// already; the last layer then does not run. Throws std::runtime_error if forward gives no
  /// tensor.
  Result run(const std::vector<at::Tensor>& values, const at::Tensor& output = {});

  /// False if no gradient leads from the result of run() to any activation.
  bool depends_on_activation(const Result& result) const;

  /// As Engine::gradients(), with respect to `activations`.
  std::vector<at::Tensor> gradients(const Result& result,
                                    const std::vector<at::Tensor>& activations,
                                    const std::vector<Seed>& seeds, bool retain_graph);
  /// As Engine::curvatures().
  std::vector<at::Tensor> curvatures(const Result& result,
                                     const std::vector<at::Tensor>& activations,
                                     const std::vector<Seed>& seeds);

 private:
  at::Tensor direction(const Result& result, const std::vector<Seed>& seeds) const;
  const at::Tensor& averaged(const at::Tensor& activation);

  std::unique_ptr<torch::jit::GraphFunction> function_;
  OutputChoice output_;
  std::size_t inner_;
  at::Tensor weight_;           ///< [classes, K] of the last layer, if it is linear; else undefined
  at::Tensor bias_;             ///< may be undefined
  bool only_averages_ = false;  ///< the last layer takes the mean over the places of the activation
  std::int64_t places_ = 0;     ///< of the activation that averaged_ is for
  at::Tensor averaged_;
};

/// `head` as a function of other activations; its other inputs are those of picture `n` of
/// `pictures`. Valid as long as `head`.
Tail tail_of(Head& head, const std::vector<at::Tensor>& rest, std::int64_t pictures,
             std::int64_t n);

}  // namespace gradcam
