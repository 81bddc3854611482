#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "stages/explain/engines/engine.h"

/// A picture that engines are tried on, and what they make of it.
namespace gradcam {

/// A smooth picture, u8 [1, height, width, 3], always the same. (On noise, classes hardly differ.)
at::Tensor probe_pixels(int height, int width);

struct ProbeAnswer {
  at::Tensor scores;  ///< all numbers of the output
  at::Tensor map;     ///< Grad-CAM map [h, w] of one of them
};

/// Explains one picture as the explainer does. `target`: the number of the output that the map is
/// of; none = the largest.
ProbeAnswer probe(Engine& engine, const at::Tensor& pixels,
                  std::optional<std::int64_t> target = std::nullopt);

/// Whether `count` different pictures in one call give the output and the gradient that each gives
/// alone (many exported files are made for one picture). False also if the call fails.
bool takes_batches(Engine& engine, const at::Tensor& pixels, int count);

}  // namespace gradcam
