#include "stages/explain/methods/gradient_methods.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

namespace gradcam {
namespace {

constexpr at::IntArrayRef::value_type kPlacesDims[] = {1, 2};
const at::IntArrayRef kPlaces(kPlacesDims);

/// 0 where g = 0: there 0 / 1e-6 would be too, but for a sum of A that is infinite.
at::Tensor alphas(const at::Tensor& g, const at::Tensor& activation) {
  const at::Tensor g2 = g * g;
  const at::Tensor sums = activation.sum(kPlaces, /*keepdim=*/true);
  const at::Tensor a = g2 / (2 * g2 + sums * g2 * g + 1e-6);
  return at::where(g != 0, a, at::zeros_like(a));
}

/// [C, h, w], each channel by a Gaussian of 3x3 places with sigma 1, which is that of a column
/// times that of a row.
at::Tensor smoothed(const at::Tensor& values) {
  const double beside = std::exp(-0.5) / (1 + 2 * std::exp(-0.5));
  const double own = 1 - 2 * beside;
  at::Tensor result = values;
  for (const std::int64_t dim : {1, 2}) {
    const std::int64_t last = result.size(dim) - 1;
    at::Tensor sum = result * own;
    if (last > 0) {
      sum.narrow(dim, 1, last).add_(result.narrow(dim, 0, last), beside);
      sum.narrow(dim, 0, last).add_(result.narrow(dim, 1, last), beside);
    }
    result = sum;
  }
  return result;
}

}  // namespace

at::Tensor gradcam(const MethodInput& input) {
  const at::Tensor& g = input.gradient;
  // As from a head that only averages: there is nothing to take the mean of.
  if (g.stride(1) == 0 && g.stride(2) == 0) return g.select(2, 0).select(1, 0);
  return g.mean(kPlaces);
}

at::Tensor gradcam_plus_plus(const MethodInput& input) {
  const at::Tensor& g = input.gradient;
  return (g.relu() * alphas(g, input.activation)).sum(kPlaces);
}

at::Tensor gradcam_plus_plus_paper(const MethodInput& input) {
  const at::Tensor& g = input.gradient;
  const at::Tensor g2 = g * g;
  const at::Tensor sums = input.activation.sum(kPlaces, /*keepdim=*/true);
  const at::Tensor below = 2 * g2 + sums * g2 * g;
  const at::Tensor a =
      at::where(g > 0, g2 / at::where(below != 0, below, at::ones_like(below)), at::zeros_like(g));
  const at::Tensor total = a.sum(kPlaces, /*keepdim=*/true);
  return (g.relu() * (a / at::where(total != 0, total, at::ones_like(total)))).sum(kPlaces);
}

at::Tensor hirescam(const MethodInput& input) { return input.gradient; }

at::Tensor elementwise(const MethodInput& input) {
  const at::Tensor& g = input.gradient;
  return at::where(g * input.activation > 0, g, at::zeros_like(g));
}

at::Tensor xgradcam(const MethodInput& input) {
  const at::Tensor& a = input.activation;
  return (input.gradient * a).sum(kPlaces) / (a.sum(kPlaces) + 1e-7);
}

at::Tensor layercam(const MethodInput& input) { return input.gradient.relu(); }

at::Tensor shapleycam(const MethodInput& input) {
  return (input.gradient - 0.5 * input.curvature).mean(kPlaces);
}

at::Tensor odam(const MethodInput& input) {
  return (smoothed(input.gradient) * input.activation).sum(0).relu();
}

}  // namespace gradcam
