#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "config/engine_table.h"
#include "stages/explain/graph/cut_result.h"
#include "stages/explain/tasks/scalar.h"

namespace gradcam {

/// Runs a network so that its tail can be differentiated. One thread calls it at a time.
class Engine {
 public:
  using Result = CutResult;

  virtual ~Engine() = default;
  /// `pixels`: u8 [N, H, W, 3] in the network's colour order, on the CPU, contiguous. Pictures of
  /// one call do not influence each other (proven by a probe where N may be more than 1).
  virtual Result run(const at::Tensor& pixels) = 0;
  /// The gradients of the scalars S_n that `seeds` stand for, one for each picture n, with respect
  /// to each activation. (Pictures are independent, so this is the gradient of the sum of S_n.)
  /// `more`: further calls for the same result follow.
  virtual std::vector<at::Tensor> gradients(const Result& result, const std::vector<Seed>& seeds,
                                            bool more);
  /// Of several scalars, for each its gradients [1, …]; undefined: zero everywhere.
  virtual std::vector<std::vector<at::Tensor>> gradients_of(
      const Result& result, const std::vector<PictureSeed>& scalars);
  /// The Hessian of S_n times the activation, for each activation. S_n is taken as the linear
  /// function of the output that its seed describes. Zeros where S_n is linear in the activation.
  virtual std::vector<at::Tensor> curvatures(const Result& result, const std::vector<Seed>& seeds);
  /// The tail behind activation `layer` of `result`. The other values that it takes are those of
  /// picture `n`. It may throw when it is given more than one activation at a time. Valid as long
  /// as the engine.
  virtual Tail tail(const Result& result, std::size_t layer, std::int64_t n) = 0;
  /// The same network without autograd and without a cut: what a plain classifier would cost.
  virtual at::Tensor forward_only(const at::Tensor& pixels) = 0;
  /// Why gradients() and curvatures() cannot be asked; empty = they can. Everything else can.
  virtual std::string gradient_obstacle() const { return ""; }
  /// Shape of the output of one picture: [classes] of a classifier.
  virtual std::vector<std::int64_t> output_shape() const = 0;
  /// How many of the `available` threads LibTorch should use while this engine runs.
  virtual int torch_threads(int available) const { return available; }
  /// Number format of what lies in front of the cut.
  virtual Precision precision() const { return Precision::kFp32; }
  /// Its name and number format: "torchscript fp32".
  virtual std::string name() const = 0;
};

}  // namespace gradcam
