#include "stages/explain/component_methods.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/std.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cmath>

namespace gradcam {
namespace {

/// [h*w, C], each channel less its mean.
at::Tensor centred_places(const at::Tensor& values) {
  const at::Tensor places = values.flatten(1).t();
  return places - places.mean(0, /*keepdim=*/true);
}

/// The sign of an eigenvector is free: its largest value is to be positive.
at::Tensor oriented(const at::Tensor& projection) {
  const double low = projection.min().item<double>();
  const double high = projection.max().item<double>();
  return -low > high ? -projection : projection;
}

/// The eigenvector of the largest eigenvalue of a symmetric matrix without negative eigenvalues, by
/// subspace iteration: a full decomposition of 256 x 256 takes as long as a small network. The
/// start is the same each time.
at::Tensor top_eigenvector(const at::Tensor& matrix) {
  constexpr std::int64_t kWhole = 64;   // below, the decomposition is quicker
  constexpr std::int64_t kColumns = 8;  // convergence goes by the 9th eigenvalue over the first
  constexpr int kMostRounds = 200;
  constexpr double kConverged = 1e-12;  // of 1 - |cosine|, in double
  const std::int64_t size = matrix.size(0);
  if (size <= kWhole) return std::get<1>(at::linalg_eigh(matrix)).select(1, size - 1);
  const at::Tensor start = std::get<1>(at::topk(matrix.diagonal(), kColumns));
  at::Tensor basis = std::get<0>(at::linalg_qr(matrix.index_select(1, start)));
  at::Tensor vector = basis.select(1, 0);
  for (int round = 0; round < kMostRounds; ++round) {
    const at::Tensor image = at::matmul(matrix, basis);
    const at::Tensor small = at::matmul(basis.t(), image);
    const at::Tensor inside = std::get<1>(at::linalg_eigh(small));
    const at::Tensor next = at::mv(basis, inside.select(1, kColumns - 1));
    const double turned = 1 - std::abs(next.dot(vector).item<double>());
    vector = next;
    if (turned < kConverged) break;
    basis = std::get<0>(at::linalg_qr(image));
  }
  return vector;
}

}  // namespace

at::Tensor first_component(const at::Tensor& values) {
  const at::Tensor places = centred_places(values);
  const std::int64_t count = places.size(0);
  const std::int64_t channels = places.size(1);
  at::Tensor projection;
  // X v1 by the smaller of X'X and XX'. Products in float, the iteration in double.
  if (channels <= count) {
    const at::Tensor moments = at::matmul(places.t(), places).to(at::kDouble);
    projection = at::mv(places, top_eigenvector(moments).to(places.scalar_type()));
  } else {
    const at::Tensor moments = at::matmul(places, places.t()).to(at::kDouble);
    const at::Tensor left = top_eigenvector(moments);
    const double power = left.dot(at::mv(moments, left)).item<double>();
    projection = (left * std::sqrt(std::max(power, 0.0))).to(places.scalar_type());
  }
  return oriented(projection).view({values.size(1), values.size(2)});
}

at::Tensor eigencam(const MethodInput& input) { return first_component(input.activation); }

at::Tensor eigengradcam(const MethodInput& input) {
  return first_component(input.gradient * input.activation);
}

at::Tensor kpcacam(const MethodInput& input) {
  const at::Tensor places = centred_places(input.activation).to(at::kDouble);
  const double gamma = 1.0 / static_cast<double>(places.size(1));
  const at::Tensor kernel = (at::matmul(places, places.t()) * gamma + 1).tanh();
  const at::Tensor centred = kernel - kernel.mean(0, true) - kernel.mean(1, true) + kernel.mean();
  const auto [eigenvalues, eigenvectors] = at::linalg_eigh(centred);
  const std::int64_t last = places.size(0) - 1;  // they come in ascending order
  const double eigenvalue = std::max(eigenvalues[last].item<double>(), 0.0);
  const at::Tensor projection = eigenvectors.select(1, last) * std::sqrt(eigenvalue);
  return oriented(projection)
      .to(input.activation.scalar_type())
      .view({input.activation.size(1), input.activation.size(2)});
}

at::Tensor fem(const MethodInput& input) {
  constexpr double kDeviations = 2;
  const at::Tensor places = input.activation.flatten(1);
  const at::Tensor limit =
      places.mean(1, true) + kDeviations * places.std(at::OptionalIntArrayRef(1), 0, true);
  return (places > limit).to(places.scalar_type()).mean(1);
}

}  // namespace gradcam
