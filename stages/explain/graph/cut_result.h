#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
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

/// A scalar of one of the pictures.
struct PictureSeed {
  std::size_t picture;
  Seed seed;
};

/// Scalars of which no two are of one picture, so that one backward pass is for all.
struct Round {
  std::vector<Seed> seeds;           ///< one for each picture; of one without a scalar, empty
  std::vector<std::size_t> scalars;  ///< which they are
};
/// In as few rounds as possible, in order.
std::vector<Round> rounds_of(const std::vector<PictureSeed>& scalars, std::size_t pictures);

/// The outputs [B, …] of the tail behind a layer on other activations [B, C, h, w], unrecorded.
using Tail = std::function<at::Tensor(const at::Tensor& activations)>;

/// The seeds as a tensor like `output`, [N, …].
at::Tensor dense(const at::Tensor& output, const std::vector<Seed>& seeds);

/// The Hessian of (end . direction) times each activation, which lead to `end` by autograd; zeros
/// where that is linear.
std::vector<at::Tensor> second_order(const at::Tensor& end, const at::Tensor& direction,
                                     const std::vector<at::Tensor>& activations);

}  // namespace gradcam
