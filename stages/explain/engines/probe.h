#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "stages/explain/engines/engine.h"
#include "stages/frame/description.h"

/// A picture that engines are tried on, and what they make of it.
namespace gradcam {

/// A smooth picture, u8 [1, height, width, channels], always the same. (On noise, classes hardly
/// differ.)
at::Tensor probe_pixels(int height, int width, int channels = 3);
at::Tensor probe_pixels(const ModelDescription& description);

/// Says which number of an output is explained, counted row by row. The output: float [...] of one
/// picture, on any device.
using NumberChoice = std::function<std::int64_t(const at::Tensor& output)>;
std::int64_t largest_number(const at::Tensor& output);

struct ProbeAnswer {
  at::Tensor scores;        ///< all numbers of the output
  std::int64_t number = 0;  ///< the one that is explained
  at::Tensor map;           ///< Grad-CAM map [h, w] of it; EigenCAM's where no gradient leads back
};

/// Explains one number of what the engine makes of one picture, as the explainer does.
ProbeAnswer probe(Engine& engine, const at::Tensor& pixels,
                  const NumberChoice& choice = largest_number);

/// The largest number of pictures, up to `most`, such that so many and any fewer in one call give
/// the outputs and the gradients that each gives alone. (Many exported files are made for one
/// picture, and in some the pictures of a batch change each other.) They are tried with pictures
/// that differ in all that a network may take the mean of.
int largest_batch(Engine& engine, const at::Tensor& pixels, int most);

}  // namespace gradcam
