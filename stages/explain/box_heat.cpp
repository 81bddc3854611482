#include "stages/explain/box_heat.h"

#include <algorithm>
#include <cmath>

namespace gradcam {
namespace {

/// First pixel whose centre is at or after `edge`.
std::size_t first_pixel(float edge, int pixels) {
  return static_cast<std::size_t>(
      std::clamp(std::ceil(edge - 0.5F), 0.F, static_cast<float>(pixels)));
}

}  // namespace

HeatMap inside_boxes(const HeatMap& heat, const std::vector<Box>& boxes) {
  HeatMap result{heat.height, heat.width, std::pmr::vector<float>(heat.values.size())};
  const auto width = static_cast<std::size_t>(heat.width);
  for (const Box& box : boxes) {
    const std::size_t left = first_pixel(box.x1, heat.width);
    const std::size_t right = std::max(left, first_pixel(box.x2, heat.width));
    const std::size_t bottom = first_pixel(box.y2, heat.height);
    for (std::size_t y = first_pixel(box.y1, heat.height); y < bottom; ++y) {
      std::copy_n(heat.values.data() + y * width + left, right - left,
                  result.values.data() + y * width + left);
    }
  }
  return result;
}

}  // namespace gradcam
