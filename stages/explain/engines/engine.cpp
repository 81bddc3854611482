#include "stages/explain/engines/engine.h"

#include <torch/csrc/autograd/autograd.h>

namespace gradcam {

std::vector<at::Tensor> Engine::gradients(const Result& result, const std::vector<Seed>& seeds,
                                          bool more) {
  return torch::autograd::grad({result.end}, result.activations, {dense(result.end, seeds)},
                               /*retain_graph=*/more);
}

std::vector<std::vector<at::Tensor>> Engine::gradients_of(const Result& result,
                                                          const std::vector<PictureSeed>& scalars) {
  std::vector<std::vector<at::Tensor>> found(scalars.size());
  const auto rounds = rounds_of(scalars, static_cast<std::size_t>(result.output.size(0)));
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    const auto together = gradients(result, rounds[i].seeds, /*more=*/i + 1 < rounds.size());
    for (const std::size_t scalar : rounds[i].scalars) {
      const auto picture = static_cast<std::int64_t>(scalars[scalar].picture);
      for (const at::Tensor& layer : together) {
        found[scalar].push_back(layer.narrow(0, picture, 1));
      }
    }
  }
  return found;
}

std::vector<at::Tensor> Engine::curvatures(const Result& result, const std::vector<Seed>& seeds) {
  return second_order(result.end, dense(result.end, seeds), result.activations);
}

}  // namespace gradcam
