#include "stages/explain/maps/box_heat.h"

#include <algorithm>
#include <cmath>

namespace gradcam {
namespace {

/// First pixel whose centre is at or after `edge`.
std::size_t first_pixel(float edge, int pixels) {
  return static_cast<std::size_t>(
      std::clamp(std::ceil(edge - 0.5F), 0.F, static_cast<float>(pixels)));
}

/// In pixels of the heat; of a coarser one, all cells that the box touches.
Box on_heat(const Box& box, const HeatMap& heat, int height, int width) {
  if (heat.height == height && heat.width == width) return box;
  const float across = static_cast<float>(heat.width) / static_cast<float>(width);
  const float down = static_cast<float>(heat.height) / static_cast<float>(height);
  return {std::floor(box.x1 * across), std::floor(box.y1 * down), std::ceil(box.x2 * across),
          std::ceil(box.y2 * down)};
}

}  // namespace

HeatMap inside_boxes(const HeatMap& heat, const std::vector<Box>& boxes, int height, int width) {
  HeatMap result{heat.height, heat.width, std::pmr::vector<float>(heat.values.size())};
  const auto row = static_cast<std::size_t>(heat.width);
  for (const Box& on_input : boxes) {
    const Box box = on_heat(on_input, heat, height, width);
    const std::size_t left = first_pixel(box.x1, heat.width);
    const std::size_t right = std::max(left, first_pixel(box.x2, heat.width));
    const std::size_t bottom = first_pixel(box.y2, heat.height);
    for (std::size_t y = first_pixel(box.y1, heat.height); y < bottom; ++y) {
      std::copy_n(heat.values.data() + y * row + left, right - left,
                  result.values.data() + y * row + left);
    }
  }
  return result;
}

}  // namespace gradcam
