#include "stages/explain/engine.h"

#include <ATen/TensorIndexing.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

namespace gradcam {

std::vector<at::Tensor> Engine::gradients(const Result& result, const std::vector<int>& classes,
                                          bool more) {
  return torch::autograd::grad({result.end}, result.activations, {one_hot(result.end, classes)},
                               /*retain_graph=*/more);
}

at::Tensor one_hot(const at::Tensor& output, const std::vector<int>& classes) {
  at::Tensor result = at::zeros_like(output.detach());
  for (std::size_t n = 0; n < classes.size(); ++n) {
    result[static_cast<std::int64_t>(n)][classes[n]] = 1;
  }
  return result;
}

}  // namespace gradcam
