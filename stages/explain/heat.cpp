#include "stages/explain/heat.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/max.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <cmath>
#include <stdexcept>

namespace gradcam {
namespace {

at::Tensor enlarge(const at::Tensor& map, std::int64_t height, std::int64_t width) {
  if (map.size(0) == height && map.size(1) == width) return map;
  return at::upsample_bilinear2d(map.unsqueeze(0).unsqueeze(0), {height, width},
                                 /*align_corners=*/false)
      .squeeze(0)
      .squeeze(0);
}

}  // namespace

at::Tensor min_max(const at::Tensor& map) {
  const at::Tensor shifted = map - map.min();
  return shifted / (shifted.max() + 1e-7);
}

at::Tensor to_heat(const std::vector<at::Tensor>& maps, Style style, int height, int width) {
  std::vector<at::Tensor> heats;
  for (const at::Tensor& map : maps) {
    // The sum is finite only if all are: one number to look at instead of a mask.
    if (!std::isfinite(map.sum().item<double>())) {
      throw std::runtime_error("the map holds a NaN or an infinity");
    }
    const at::Tensor positive = map.relu();
    heats.push_back(style == Style::kNotebook ? enlarge(positive, maps[0].size(0), maps[0].size(1))
                                              : enlarge(min_max(positive), height, width));
  }
  const at::Tensor mean = heats.size() == 1 ? heats[0] : at::stack(heats).mean(0);
  return style == Style::kNotebook ? mean : min_max(mean.relu());
}

HeatMap merge_heats(const std::vector<at::Tensor>& heats) {
  at::Tensor merged = heats.at(0);
  for (std::size_t i = 1; i < heats.size(); ++i) merged = at::max(merged, heats[i]);
  const at::Tensor plain = merged.to(at::kCPU, at::kFloat).contiguous();
  HeatMap heat{static_cast<int>(plain.size(0)), static_cast<int>(plain.size(1)), {}};
  const float* const begin = plain.const_data_ptr<float>();
  heat.values.assign(begin, begin + plain.numel());
  return heat;
}

}  // namespace gradcam
