#include "stages/explain/model/tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/max.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/sum.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gradcam {

at::Tensor pixels_of(const std::vector<const Blob*>& blobs, const ModelDescription& description) {
  const auto height = description.input_height;
  const auto width = description.input_width;
  const auto channels = description.channels();
  for (const Blob* blob : blobs) {
    if (blob->channels != channels) {
      throw std::runtime_error("blob has " + std::to_string(blob->channels) +
                               " channels, the network wants " + std::to_string(channels));
    }
    if (blob->height == height && blob->width == width) continue;
    throw std::runtime_error("blob is " + std::to_string(blob->width) + "x" +
                             std::to_string(blob->height) + ", the network wants " +
                             std::to_string(width) + "x" + std::to_string(height));
  }
  const auto wrapped = [&](const Blob& blob) {
    // from_blob wants a pointer it could write through; nothing writes.
    auto* const pixels = const_cast<std::uint8_t*>(blob.pixels.data());
    return at::from_blob(pixels, {1, height, width, channels}, at::TensorOptions(at::kByte));
  };
  if (blobs.size() == 1) return wrapped(*blobs[0]);
  std::vector<at::Tensor> all;
  all.reserve(blobs.size());
  for (const Blob* blob : blobs) all.push_back(wrapped(*blob));
  return at::cat(all);
}

HeatMap to_map(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kCPU, at::kFloat).contiguous();
  const float* const begin = plain.const_data_ptr<float>();
  return {static_cast<int>(plain.size(0)),
          static_cast<int>(plain.size(1)),
          {begin, begin + plain.numel()}};
}

double correlation(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor one = a.flatten().to(at::kDouble);
  const at::Tensor other = b.flatten().to(at::kDouble);
  const at::Tensor x = one - one.mean();
  const at::Tensor y = other - other.mean();
  const double scale = std::sqrt((x * x).sum().item<double>() * (y * y).sum().item<double>());
  if (scale > 0) return (x * y).sum().item<double>() / scale;
  constexpr double kSame = 0.02;
  const double most = std::max(one.abs().max().item<double>(), other.abs().max().item<double>());
  return (one - other).abs().max().item<double>() <= kSame * most ? 1 : 0;
}

std::span<const float> row_of(const HeatMap& rows, std::size_t n) {
  const auto width = static_cast<std::size_t>(rows.width);
  return std::span(rows.values).subspan(n * width, width);
}

}  // namespace gradcam
