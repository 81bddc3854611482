#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "stages/explain/engines/engine.h"
#include "stages/frame/description.h"

/// A picture that engines are tried on, and what they make of it.
namespace gradcam {

/// A smooth picture, u8 [1, height, width, channels], always the same. (On noise, classes hardly
/// differ.)
at::Tensor probe_pixels(int height, int width, int channels = 3);
at::Tensor probe_pixels(const ModelDescription& description);

struct ProbeAnswer {
  at::Tensor scores;  ///< all numbers of the output
  at::Tensor map;  ///< Grad-CAM map [h, w] of one of them; EigenCAM's where no gradient leads back
};

/// Explains one picture as the explainer does. `target`: the number of the output that the map is
/// of; none = the largest.
ProbeAnswer probe(Engine& engine, const at::Tensor& pixels,
                  std::optional<std::int64_t> target = std::nullopt);

/// The largest number of pictures, up to `most`, such that so many and any fewer in one call give
/// the outputs and the gradients that each gives alone. (Many exported files are made for one
/// picture, and in some the pictures of a batch change each other.) They are tried with pictures
/// that differ in all that a network may take the mean of.
int largest_batch(Engine& engine, const at::Tensor& pixels, int most);

}  // namespace gradcam
