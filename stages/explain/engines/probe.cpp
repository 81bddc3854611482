#include "stages/explain/engines/probe.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <exception>
#include <vector>

#include "stages/explain/methods/methods.h"
#include "stages/explain/model/tensors.h"

namespace gradcam {

at::Tensor probe_pixels(int height, int width) {
  const auto seeded = at::make_generator<at::CPUGeneratorImpl>(1);
  const at::Tensor coarse = at::rand({1, 3, 7, 7}, seeded, at::TensorOptions()) * 255;
  const at::Tensor smooth =
      at::upsample_bicubic2d(coarse, {height, width}, /*align_corners=*/false).clamp(0, 255);
  return smooth.permute({0, 2, 3, 1}).to(at::kByte).contiguous();
}

ProbeAnswer probe(Engine& engine, const at::Tensor& pixels, std::optional<std::int64_t> target) {
  const CutResult result = engine.run(pixels);
  const at::Tensor scores = result.output.detach()[0].flatten();
  const auto best = target.value_or(scores.argmax().item<std::int64_t>());
  const auto gradients = engine.gradients(result, {Seed{{best, 1}}}, false);
  const at::NoGradGuard no_grad;
  const auto as_places = [](const at::Tensor& tensor) {  // of tokens, one row of places
    return tensor.dim() == 2 ? tensor.t().unsqueeze(2) : tensor;
  };
  MethodInput input;
  input.activation = as_places(result.activations[0].detach()[0]);
  input.gradient = as_places(gradients[0][0]);
  return {scores, map_of(find_method("gradcam"), input)};
}

bool takes_batches(Engine& engine, const at::Tensor& pixels, int count) {
  constexpr double kSame = 0.999;  // formats below fp32 may round differently
  try {
    std::vector<at::Tensor> pictures;
    pictures.reserve(static_cast<std::size_t>(count));
    for (std::int64_t n = 0; n < count; ++n) {
      pictures.push_back(pixels.roll(11 * n, 2).flip(n % 2 + 1));
    }
    const at::Tensor together = at::cat(pictures).contiguous();
    const CutResult result = engine.run(together);
    const std::vector<Seed> seeds(static_cast<std::size_t>(count), Seed{SeedTerm{}});
    const auto gradients = engine.gradients(result, seeds, false);
    for (int n = 0; n < count; ++n) {
      const CutResult alone = engine.run(pictures[static_cast<std::size_t>(n)].contiguous());
      const auto gradient = engine.gradients(alone, {Seed{SeedTerm{}}}, false);
      if (correlation(result.output.detach()[n], alone.output.detach()[0]) < kSame ||
          correlation(gradients[0][n], gradient[0][0]) < kSame) {
        return false;
      }
    }
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace gradcam
