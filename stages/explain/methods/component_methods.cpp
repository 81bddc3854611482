#include "stages/explain/methods/component_methods.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/diag.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/std.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <vector>

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

/// A vector without any pattern, the same each time: nothing is likely to be orthogonal to it.
at::Tensor start_vector(std::int64_t size) {
  const at::Tensor places = at::arange(1, size + 1, at::TensorOptions(at::kDouble));
  const at::Tensor start = (places * 12.9898).sin();
  return start / start.norm();
}

/// The eigenvector of the largest eigenvalue of a symmetric matrix, double, on the CPU. By Lanczos'
/// method with full reorthogonalization (Golub and Van Loan, Matrix Computations, 10.3): a full
/// decomposition of 256 x 256 takes as long as a small network, and this needs 64 products with the
/// matrix even where the values are nothing but noise.
at::Tensor top_eigenvector(const at::Tensor& matrix) {
  constexpr std::int64_t kWhole = 64;   // below, the decomposition is quicker
  constexpr std::int64_t kSteps = 16;   // from one look to the next
  constexpr double kConverged = 1e-10;  // what is left of A v - lambda v, over lambda
  constexpr double kNothing = 1e-14;    // of the largest diagonal value
  const std::int64_t size = matrix.size(0);
  if (size <= kWhole) return std::get<1>(at::linalg_eigh(matrix)).select(1, size - 1);
  const double nothing = kNothing * matrix.diagonal().max().item<double>();
  at::Tensor basis = at::empty({kWhole, size}, matrix.options());  // one vector a row
  basis[0] = start_vector(size);
  std::vector<double> diagonal;  // of the matrix in that basis, which is tridiagonal
  std::vector<double> beside;
  for (std::int64_t k = 0;; ++k) {
    const at::Tensor known = basis.narrow(0, 0, k + 1);
    at::Tensor image = at::mv(matrix, basis[k]);
    diagonal.push_back(image.dot(basis[k]).item<double>());
    for (int pass = 0; pass < 2; ++pass) image = image - at::mv(known.t(), at::mv(known, image));
    const double left = image.norm().item<double>();
    const bool last = k + 1 == size || left <= nothing;
    if (last || (k + 1) % kSteps == 0) {
      at::Tensor small = at::diag(at::tensor(diagonal, matrix.options()));
      if (k > 0) small += at::diag(at::tensor(beside, matrix.options()), -1);  // eigh reads below
      const auto [values, vectors] = at::linalg_eigh(small);
      const at::Tensor inside = vectors.select(1, k);
      const double residual = left * std::abs(inside[k].item<double>());
      if (last || residual <= kConverged * values[k].item<double>()) {
        return at::mv(known.t(), inside);
      }
    }
    beside.push_back(left);
    if (k + 1 == basis.size(0)) basis = at::cat({basis, at::empty_like(basis)});
    basis[k + 1] = image / left;
  }
}

}  // namespace

at::Tensor first_component(const at::Tensor& values) {
  const at::Tensor places = centred_places(values);
  const std::int64_t count = places.size(0);
  const std::int64_t channels = places.size(1);
  at::Tensor projection;
  // X v1 by the smaller of X'X and XX'. Products in float, the iteration in double.
  if (channels <= count) {
    const at::Tensor moments = at::matmul(places.t(), places).to(at::kCPU, at::kDouble);
    projection = at::mv(places, top_eigenvector(moments).to(places.options()));
  } else {
    const at::Tensor moments = at::matmul(places, places.t()).to(at::kCPU, at::kDouble);
    const at::Tensor left = top_eigenvector(moments);
    const double power = left.dot(at::mv(moments, left)).item<double>();
    projection = (left * std::sqrt(std::max(power, 0.0))).to(places.options());
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
  const at::Tensor centred =
      (kernel - kernel.mean(0, true) - kernel.mean(1, true) + kernel.mean()).to(at::kCPU);
  const at::Tensor vector = top_eigenvector(centred);
  const double eigenvalue = vector.dot(at::mv(centred, vector)).item<double>();
  const at::Tensor projection = vector * std::sqrt(std::max(eigenvalue, 0.0));
  return oriented(projection)
      .to(input.activation.options())
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
