#include "stages/explain/model/normalisation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include "stages/explain/model/device.h"

namespace gradcam {
namespace {

at::Tensor per_channel(const std::array<float, 3>& values, std::size_t channels,
                       c10::Device device) {
  return at::tensor(at::ArrayRef<float>(values.data(), channels)).to(device).view({1, -1, 1, 1});
}

double mean_of(const std::array<double, 3>& values) {
  return (values[0] + values[1] + values[2]) / 3;
}

}  // namespace

Normalisation::Normalisation(const ModelDescription& description, c10::Device device)
    : device_(device), channels_(static_cast<std::size_t>(description.channels())) {
  const bool gray = channels_ == 1;
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = gray ? mean_of(description.mean) : description.mean[c];
    const double deviation = gray ? mean_of(description.std) : description.std[c];
    offset_[c] = static_cast<float>(mean * description.scale);
    factor_[c] = static_cast<float>(1.0 / (description.scale * deviation));
  }
  if (device.is_cpu()) return;
  offset_there_ = per_channel(offset_, channels_, device);
  factor_there_ = per_channel(factor_, channels_, device);
}

at::Tensor Normalisation::apply_there(const at::Tensor& pixels) const {
  return pixels.sub(offset_there_).mul_(factor_there_);
}

at::Tensor Normalisation::apply(const at::Tensor& pixels) const {
  const at::Tensor picture =
      pixels.permute({0, 3, 1, 2});  // NCHW by shape, channels_last in memory
  // Bytes are sent, a quarter of what floats would be.
  if (!device_.is_cpu()) return apply_there(upload(picture, device_));
  // One pass instead of three. A period of 48 bytes is what the compiler can put into registers.
  constexpr std::size_t kPeriod = 48;
  std::array<float, kPeriod> offset{};
  std::array<float, kPeriod> factor{};
  for (std::size_t i = 0; i < kPeriod; ++i) {
    offset[i] = offset_[i % 3];
    factor[i] = factor_[i % 3];
  }
  at::Tensor result =
      at::empty(picture.sizes(), at::TensorOptions(at::kFloat), at::MemoryFormat::ChannelsLast);
  const auto count = static_cast<std::size_t>(pixels.numel());
  const auto* in = pixels.const_data_ptr<std::uint8_t>();
  auto* out = result.mutable_data_ptr<float>();
  std::size_t begin = 0;
  for (; begin + kPeriod <= count; begin += kPeriod, in += kPeriod, out += kPeriod) {
    for (std::size_t i = 0; i < kPeriod; ++i) {
      out[i] = (static_cast<float>(in[i]) - offset[i]) * factor[i];
    }
  }
  for (std::size_t i = 0; begin + i < count; ++i) {
    out[i] = (static_cast<float>(in[i]) - offset[i]) * factor[i];
  }
  return result;
}

}  // namespace gradcam
