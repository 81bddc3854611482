#include "stages/explain/engines/batching.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/max.h>
#include <ATen/ops/min.h>
#include <ATen/ops/rand.h>

#include <exception>
#include <vector>

namespace gradcam {
namespace {

at::Tensor one_by_one(const Batching::Function& function, const at::Tensor& inputs) {
  std::vector<at::Tensor> outputs;
  outputs.reserve(static_cast<std::size_t>(inputs.size(0)));
  for (std::int64_t i = 0; i < inputs.size(0); ++i) {
    outputs.push_back(function(inputs.narrow(0, i, 1)));
  }
  return at::cat(outputs);
}

/// The inputs with noise of their own range, so that no two are alike.
at::Tensor unlike(const at::Tensor& inputs) {
  const double range = (inputs.max() - inputs.min()).item<double>();
  const auto seeded = at::make_generator<at::CPUGeneratorImpl>(1);
  const at::Tensor noise = at::rand(inputs.sizes(), seeded, at::TensorOptions());
  return inputs + noise.to(inputs.options()) * (range > 0 ? range : 1.0);
}

}  // namespace

at::Tensor Batching::run(const Function& function, const at::Tensor& inputs) {
  const std::int64_t count = inputs.size(0);
  if (count == 1) return function(inputs);
  const auto known = takes_.find(count);
  const bool takes =
      known != takes_.end() ? known->second : (takes_[count] = agrees(function, inputs));
  return takes ? function(inputs) : one_by_one(function, inputs);
}

bool Batching::agrees(const Function& function, const at::Tensor& inputs) {
  constexpr double kRelative = 1e-3;
  constexpr double kAbsolute = 1e-4;
  const at::Tensor tried = unlike(inputs);
  const at::Tensor alone = one_by_one(function, tried);
  try {
    const at::Tensor together = function(tried);
    return together.sizes() == alone.sizes() &&
           at::allclose(together, alone, kRelative, kAbsolute, /*equal_nan=*/true);
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace gradcam
