#include "stages/explain/graph/cut_result.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstddef>

namespace gradcam {

std::vector<at::Tensor> second_order(const at::Tensor& end, const at::Tensor& direction,
                                     const std::vector<at::Tensor>& activations) {
  const at::AutoGradMode with_grad(true);
  const auto gradients =
      torch::autograd::grad({end}, activations, {direction}, /*retain_graph=*/true,
                            /*create_graph=*/true);
  std::vector<at::Tensor> products;
  products.reserve(activations.size());
  for (std::size_t i = 0; i < activations.size(); ++i) {
    at::Tensor product;
    if (gradients[i].requires_grad()) {
      product = torch::autograd::grad({gradients[i]}, {activations[i]}, {activations[i].detach()},
                                      /*retain_graph=*/true, /*create_graph=*/false,
                                      /*allow_unused=*/true)[0];
    }
    products.push_back(product.defined() ? product : at::zeros_like(activations[i]));
  }
  return products;
}

std::vector<Round> rounds_of(const std::vector<PictureSeed>& scalars, std::size_t pictures) {
  std::vector<Round> rounds;
  std::vector<std::size_t> next(pictures, 0);  // round of each picture
  for (std::size_t i = 0; i < scalars.size(); ++i) {
    const std::size_t picture = scalars[i].picture;
    const std::size_t round = next.at(picture)++;
    if (round == rounds.size()) rounds.push_back({std::vector<Seed>(pictures), {}});
    rounds[round].seeds[picture] = scalars[i].seed;
    rounds[round].scalars.push_back(i);
  }
  return rounds;
}

at::Tensor dense(const at::Tensor& output, const std::vector<Seed>& seeds) {
  at::Tensor result = at::zeros(output.sizes(), at::TensorOptions(at::kFloat));
  const std::int64_t numbers = result.numel() / result.size(0);
  auto* const values = result.mutable_data_ptr<float>();
  for (std::size_t n = 0; n < seeds.size(); ++n) {
    for (const SeedTerm& term : seeds[n]) {
      values[static_cast<std::int64_t>(n) * numbers + term.index] += term.weight;
    }
  }
  return result.to(output.options());
}

}  // namespace gradcam
