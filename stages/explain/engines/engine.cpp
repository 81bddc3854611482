#include "stages/explain/engines/engine.h"

#include <torch/csrc/autograd/autograd.h>

namespace gradcam {

std::vector<at::Tensor> Engine::gradients(const Result& result, const std::vector<Seed>& seeds,
                                          bool more) {
  return torch::autograd::grad({result.end}, result.activations, {dense(result.end, seeds)},
                               /*retain_graph=*/more);
}

std::vector<at::Tensor> Engine::curvatures(const Result& result, const std::vector<Seed>& seeds) {
  return second_order(result.end, dense(result.end, seeds), result.activations);
}

}  // namespace gradcam
