#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <span>

#include "stages/frame/description.h"

namespace gradcam {

/// x = (pixel / scale - mean) / std of a description, as x = (pixel - offset) * factor.
class Normalisation {
 public:
  /// For pictures that are to be normalised on `device`.
  explicit Normalisation(const ModelDescription& description, c10::Device device = c10::kCPU);

  c10::Device device() const { return device_; }
  /// u8 [N, H, W, C] on the CPU → float [N, C, H, W] on the device, channels_last.
  at::Tensor apply(const at::Tensor& pixels) const;
  /// The same for pixels u8 [N, C, H, W] that are on a device other than the CPU already.
  at::Tensor apply_there(const at::Tensor& pixels) const;

  /// Of each channel.
  std::span<const float> offset() const { return std::span(offset_).first(channels_); }
  std::span<const float> factor() const { return std::span(factor_).first(channels_); }

 private:
  c10::Device device_;
  std::size_t channels_;
  std::array<float, 3> offset_{};
  std::array<float, 3> factor_{};
  at::Tensor offset_there_;  ///< the same on a device other than the CPU, [1, C, 1, 1]
  at::Tensor factor_there_;
};

}  // namespace gradcam
