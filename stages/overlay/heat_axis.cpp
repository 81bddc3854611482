#include "stages/overlay/heat_axis.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gradcam {
namespace {

/// First pixel whose centre is at or after `edge`.
int first_pixel(double edge) { return static_cast<int>(std::ceil(edge - 0.5)); }

/// The frame's [frame_begin, +frame_length) shows the heat's [heat_begin, +heat_length).
HeatAxis axis_of(double frame_begin, double frame_length, int frame_pixels, double heat_begin,
                 double heat_length, int heat_pixels) {
  HeatAxis axis;
  axis.pixels = frame_pixels;
  axis.begin = std::clamp(first_pixel(frame_begin), 0, frame_pixels);
  axis.end = std::clamp(first_pixel(frame_begin + frame_length), axis.begin, frame_pixels);
  const int low = std::clamp(first_pixel(heat_begin), 0, heat_pixels - 1);
  const int high = std::clamp(first_pixel(heat_begin + heat_length) - 1, low, heat_pixels - 1);
  const double scale = heat_length / frame_length;
  const auto padded = static_cast<std::size_t>(frame_pixels) + kernels::kPadding;
  axis.toward.resize(padded);
  axis.cell_of.resize(padded);
  for (int i = axis.begin; i < axis.end; ++i) {
    // In float as cv::resize does, so that the weights are the same.
    const auto at = static_cast<float>((i + 0.5 - frame_begin) * scale + heat_begin - 0.5);
    const int place = static_cast<int>(std::floor(at));
    const int first = std::clamp(place, low, high);
    const int second = std::clamp(place + 1, low, high);
    const long toward = std::lround((at - static_cast<float>(place)) * 32768);
    if (axis.cells.empty() || axis.cells.back().first != first ||
        axis.cells.back().second != second) {
      axis.cells.push_back({i, first, second});
    }
    axis.toward[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(std::min(toward, 32767L));
    axis.cell_of[static_cast<std::size_t>(i)] = static_cast<int>(axis.cells.size()) - 1;
  }
  axis.cells.push_back({axis.end, 0, 0});
  return axis;
}

}  // namespace

HeatAxes heat_axes(const Mapping& mapping, cv::Size heat, cv::Size blob) {
  const Region& frame = mapping.in_frame;
  const Region& shown = mapping.in_blob;
  if (heat.empty() || blob.empty() || mapping.frame_width <= 0 || mapping.frame_height <= 0 ||
      !(frame.width > 0) || !(frame.height > 0) || !(shown.width > 0) || !(shown.height > 0)) {
    throw std::invalid_argument("the mapping from network input to frame is empty");
  }
  const double across = static_cast<double>(heat.width) / blob.width;
  const double down = static_cast<double>(heat.height) / blob.height;
  return {axis_of(frame.x, frame.width, mapping.frame_width, shown.x * across, shown.width * across,
                  heat.width),
          axis_of(frame.y, frame.height, mapping.frame_height, shown.y * down, shown.height * down,
                  heat.height)};
}

}  // namespace gradcam
