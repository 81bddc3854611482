#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "stages/explain/tasks/scalar.h"

namespace gradcam {

/// What a network that is cut at its target layers gives of N pictures.
struct CutResult {
  at::Tensor output;  ///< [N, …]
  /// [N, C, h, w] of each target layer, in the order asked for.
  std::vector<at::Tensor> activations;
  at::Tensor end;  ///< where gradients begin: connected to `activations` by autograd
  /// What else the tail takes; which, is the affair of the engine that made this.
  std::vector<at::Tensor> rest{};
};

/// The outputs [B, …] of the tail behind a layer on other activations [B, C, h, w], unrecorded.
using Tail = std::function<at::Tensor(const at::Tensor& activations)>;

/// The seeds as a tensor like `output`, [N, …].
at::Tensor dense(const at::Tensor& output, const std::vector<Seed>& seeds);

/// The Hessian of (end . direction) times each activation, which lead to `end` by autograd; zeros
/// where that is linear.
std::vector<at::Tensor> second_order(const at::Tensor& end, const at::Tensor& direction,
                                     const std::vector<at::Tensor>& activations);

}  // namespace gradcam
