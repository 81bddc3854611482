#include "stages/explain/methods/fullgrad.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

namespace gradcam {

at::Tensor fullgrad(const MethodInput& input) {
  const FullGradients parts = input.full_gradients();
  at::Tensor map = at::zeros({input.input_height, input.input_width}, parts.input.options());
  const auto add = [&](const at::Tensor& part) {
    at::Tensor channels = part.abs();
    channels = channels - channels.amin({1, 2}, true);
    channels = channels / (channels.amax({1, 2}, true) + 1e-7);
    // Enlarging is linear: of the sum it takes one pass, not one for each channel.
    map += at::upsample_bilinear2d(channels.sum(0).unsqueeze(0).unsqueeze(0),
                                   {input.input_height, input.input_width},
                                   /*align_corners=*/false)[0][0];
  };
  add(parts.input);
  for (const at::Tensor& bias : parts.biases) add(bias);
  return map;
}

}  // namespace gradcam
