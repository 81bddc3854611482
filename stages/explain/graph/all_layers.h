#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stages/explain/model/model.h"
#include "stages/explain/tasks/scalar.h"
#include "stages/frame/description.h"

namespace gradcam {

/// The network as one graph that also gives the outputs of many of its layers. One run forward and
/// one back give the gradients at all of them, each the one that a cut at that layer alone would
/// give. For a look at a whole network: an explanation of one layer is cheaper by CutGraph.
class AllLayers {
 public:
  /// `wanted` is asked of the name of each sub-module. Those of control flow are left out. Throws
  /// UserError(kModel) for a forward that is not as the program wants it.
  AllLayers(const Model& model, const OutputChoice& output,
            const std::function<bool(const std::string& layer)>& wanted);
  ~AllLayers();

  /// In the order in which the network runs them.
  const std::vector<std::string>& names() const { return names_; }

  struct Run {
    at::Tensor input;                     ///< where the way back ends
    at::Tensor output;                    ///< [1, …]
    std::vector<at::Tensor> activations;  ///< [1, …] of each of names()
  };
  /// `picture`: float [1, C, H, W], normalised, on the model's device. `recorded`: gradients() will
  /// be asked. Throws what LibTorch throws, and std::runtime_error for an output that is not there.
  Run run(const at::Tensor& picture, bool recorded) const;

  /// The gradients of what `seed` stands for with respect to the activations. Each is handed to
  /// `take`, with the place of its layer in names(), as soon as it is there, the last layer's
  /// first, so that not all of them lie in memory. Layers from which none leads on are left out.
  /// Why the way back broke off, at an operation without a derivative; empty = it did not.
  static std::string gradients(
      const Run& run, const Seed& seed,
      const std::function<void(std::size_t layer, const at::Tensor& gradient)>& take);

 private:
  struct Graph;

  OutputChoice output_;
  std::vector<std::string> names_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace gradcam
