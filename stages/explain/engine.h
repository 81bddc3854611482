#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace gradcam {

/// Runs a network so that its tail can be differentiated. One thread calls it, always the same.
class Engine {
 public:
  struct Result {
    at::Tensor output;  ///< what the network returned, connected to `activations` by autograd
    /// [1, C, h, w] of each target layer, in the order asked for.
    std::vector<at::Tensor> activations;
  };

  virtual ~Engine() = default;
  /// `input`: float [1, 3, H, W] on the engine's device, normalised.
  virtual Result run(const at::Tensor& input) = 0;
  /// The same network without autograd and without a cut: what a plain classifier would cost.
  virtual at::Tensor forward_only(const at::Tensor& input) = 0;
  /// Numbers in one row of output.
  virtual int outputs() const = 0;
  /// Its name and number format: "torchscript fp32".
  virtual std::string name() const = 0;
};

}  // namespace gradcam
