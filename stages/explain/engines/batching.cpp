#include "stages/explain/engines/batching.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>

#include <exception>
#include <vector>

namespace gradcam {

at::Tensor Batching::run(const Function& function, const at::Tensor& inputs) {
  const std::int64_t count = inputs.size(0);
  if (count == 1) return function(inputs);
  if (!takes_many_) takes_many_ = agrees(function, inputs);
  if (*takes_many_) return function(inputs);
  std::vector<at::Tensor> outputs;
  outputs.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) outputs.push_back(function(inputs.narrow(0, i, 1)));
  return at::cat(outputs);
}

bool Batching::agrees(const Function& function, const at::Tensor& inputs) {
  constexpr double kRelative = 1e-3;
  constexpr double kAbsolute = 1e-4;
  const at::Tensor first = function(inputs.narrow(0, 0, 1));
  const at::Tensor second = function(inputs.narrow(0, 1, 1));
  try {
    const at::Tensor both = function(inputs.narrow(0, 0, 2));
    return both.sizes() == at::cat({first, second}).sizes() &&
           at::allclose(both, at::cat({first, second}), kRelative, kAbsolute);
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace gradcam
