#pragma once

#include <ATen/core/Tensor.h>

#include <array>

#include "stages/explain/description.h"

namespace gradcam {

/// x = (pixel / scale - mean) / std of a description, as x = (pixel - offset) * factor.
class Normalisation {
 public:
  explicit Normalisation(const ModelDescription& description);

  /// u8 [N, H, W, 3] on the CPU → float [N, 3, H, W] on `device`, channels_last.
  at::Tensor apply(const at::Tensor& pixels, c10::Device device) const;

  const std::array<float, 3>& offset() const { return offset_; }
  const std::array<float, 3>& factor() const { return factor_; }

 private:
  std::array<float, 3> offset_{};
  std::array<float, 3> factor_{};
};

}  // namespace gradcam
