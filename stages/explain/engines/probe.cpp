#include "stages/explain/engines/probe.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <exception>
#include <vector>

#include "stages/explain/methods/methods.h"

namespace gradcam {

namespace {

struct Answer {
  at::Tensor output;
  at::Tensor gradient;  ///< undefined where none leads back
};

Answer answer(Engine& engine, const at::Tensor& pixels) {
  const CutResult result = engine.run(pixels);
  Answer found{result.output.detach(), {}};
  if (!engine.gradient_obstacle().empty()) return found;
  const std::vector<Seed> seeds(static_cast<std::size_t>(pixels.size(0)), Seed{SeedTerm{}});
  found.gradient = engine.gradients(result, seeds, false)[0];
  return found;
}

/// Whether they differ by no more than sums in another order do.
bool near(const at::Tensor& one, const at::Tensor& other, double tolerance) {
  return (one - other).norm().item<double>() <= tolerance * other.norm().item<double>();
}

bool agree(const Answer& together, const std::vector<Answer>& alone, Precision precision) {
  constexpr double kRounded = 2e-2;  // in formats below fp32, or where a ReLU opens or closes
  const double of_output = precision == Precision::kFp32 ? 1e-3 : kRounded;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    if (!near(together.output[n], alone[i].output[0], of_output)) return false;
    if (!together.gradient.defined()) continue;
    if (!near(together.gradient[n], alone[i].gradient[0], kRounded)) return false;
  }
  return true;
}

}  // namespace

at::Tensor probe_pixels(int height, int width, int channels) {
  const auto seeded = at::make_generator<at::CPUGeneratorImpl>(1);
  const at::Tensor coarse = at::rand({1, channels, 7, 7}, seeded, at::TensorOptions()) * 255;
  const at::Tensor smooth =
      at::upsample_bicubic2d(coarse, {height, width}, /*align_corners=*/false).clamp(0, 255);
  return smooth.permute({0, 2, 3, 1}).to(at::kByte).contiguous();
}

at::Tensor probe_pixels(const ModelDescription& description) {
  return probe_pixels(description.input_height, description.input_width, description.channels());
}

std::int64_t largest_number(const at::Tensor& output) {
  return output.argmax().item<std::int64_t>();
}

ProbeAnswer probe(Engine& engine, const at::Tensor& pixels, const NumberChoice& choice) {
  const CutResult result = engine.run(pixels);
  const at::Tensor output = result.output.detach()[0];
  const std::int64_t number = choice(output);
  const bool differentiates = engine.gradient_obstacle().empty();
  std::vector<at::Tensor> gradients;
  if (differentiates) gradients = engine.gradients(result, {Seed{{number, 1}}}, false);
  const at::NoGradGuard no_grad;
  const auto as_places = [](const at::Tensor& tensor) {  // of tokens, one row of places
    return tensor.dim() == 2 ? tensor.t().unsqueeze(2) : tensor;
  };
  MethodInput input;
  input.activation = as_places(result.activations[0].detach()[0]);
  if (differentiates) input.gradient = as_places(gradients[0][0]);
  return {output.flatten(), number,
          map_of(find_method(differentiates ? "gradcam" : "eigencam"), input)};
}

int largest_batch(Engine& engine, const at::Tensor& pixels, int most) {
  try {
    std::vector<at::Tensor> pictures;
    std::vector<Answer> alone;
    for (int count = 1; count <= most; ++count) {
      // Darker by steps, and another picture: figures that are taken over a batch then change.
      const double share = 1.0 - 0.6 * (count - 1) / most;
      pictures.push_back((pixels * share)
                             .to(at::kByte)
                             .roll(std::int64_t{11} * (count - 1), 2)
                             .flip(count % 2 + 1)
                             .contiguous());
      alone.push_back(answer(engine, pictures.back()));
      if (count > 1 && !agree(answer(engine, at::cat(pictures)), alone, engine.precision())) {
        return count - 1;
      }
    }
    return most;
  } catch (const std::exception&) {
    return 1;
  }
}

}  // namespace gradcam
