#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace gradcam {

/// Runs a network so that its tail can be differentiated. One thread calls it at a time.
class Engine {
 public:
  struct Result {
    at::Tensor output;  ///< [N, classes]
    /// [N, C, h, w] of each target layer, in the order asked for.
    std::vector<at::Tensor> activations;
    at::Tensor end;  ///< where gradients() begins: connected to `activations` by autograd
  };

  virtual ~Engine() = default;
  /// `pixels`: u8 [N, H, W, 3] in the network's colour order, on the CPU, contiguous. Pictures of
  /// one call do not influence each other (proven by a probe where N may be more than 1).
  virtual Result run(const at::Tensor& pixels) = 0;
  /// The gradient of output[n][classes[n]], summed over the pictures n, with respect to each
  /// activation: as pictures are independent, that of each picture's own class. `more`: further
  /// calls for the same result follow.
  virtual std::vector<at::Tensor> gradients(const Result& result, const std::vector<int>& classes,
                                            bool more);
  /// The same network without autograd and without a cut: what a plain classifier would cost.
  virtual at::Tensor forward_only(const at::Tensor& pixels) = 0;
  /// Numbers in one row of output.
  virtual int outputs() const = 0;
  /// How many of the `available` threads LibTorch should use between run() and the next one.
  virtual int torch_threads(int available) const { return available; }
  /// Its name and number format: "torchscript fp32".
  virtual std::string name() const = 0;
};

/// [N, classes] like `output`: 1 at [n][classes[n]], else 0.
at::Tensor one_hot(const at::Tensor& output, const std::vector<int>& classes);

}  // namespace gradcam
