#include "stages/overlay/heat_on_frame.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core/utility.hpp>
#include <stdexcept>
#include <vector>

namespace gradcam {
namespace {

/// Between which two source pixels a pixel lies, and how far it is from the first to the second.
struct Tap {
  int first;
  int second;
  float toward_second;
};

/// The pixels [begin, end) of one axis of the frame, and where each lies in the heat.
struct Axis {
  int begin = 0;
  int end = 0;
  std::vector<Tap> taps;
};

/// First pixel whose centre is at or after `edge`.
int first_pixel(double edge) { return static_cast<int>(std::ceil(edge - 0.5)); }

/// The frame's [frame_begin, +frame_length) shows the heat's [heat_begin, +heat_length).
Axis make_axis(double frame_begin, double frame_length, int frame_pixels, double heat_begin,
               double heat_length, int heat_pixels) {
  Axis axis;
  axis.begin = std::clamp(first_pixel(frame_begin), 0, frame_pixels);
  axis.end = std::clamp(first_pixel(frame_begin + frame_length), axis.begin, frame_pixels);
  const int low = std::clamp(first_pixel(heat_begin), 0, heat_pixels - 1);
  const int high = std::clamp(first_pixel(heat_begin + heat_length) - 1, low, heat_pixels - 1);
  const double scale = heat_length / frame_length;
  for (int i = axis.begin; i < axis.end; ++i) {
    // In float as cv::resize does, so that the weights are the same.
    const auto at = static_cast<float>((i + 0.5 - frame_begin) * scale + heat_begin - 0.5);
    const int first = static_cast<int>(std::floor(at));
    axis.taps.push_back({std::clamp(first, low, high), std::clamp(first + 1, low, high),
                         at - static_cast<float>(first)});
  }
  return axis;
}

void check(const HeatMap& heat, const Mapping& mapping, cv::Size blob_size) {
  if (heat.width <= 0 || heat.height <= 0 ||
      heat.values.size() != static_cast<std::size_t>(heat.width) * heat.height) {
    throw std::runtime_error("the heat map holds " + std::to_string(heat.values.size()) +
                             " values for a size of " + std::to_string(heat.width) + "x" +
                             std::to_string(heat.height));
  }
  if (mapping.frame_width <= 0 || mapping.frame_height <= 0 || blob_size.empty() ||
      !(mapping.in_frame.width > 0) || !(mapping.in_frame.height > 0) ||
      !(mapping.in_blob.width > 0) || !(mapping.in_blob.height > 0)) {
    throw std::runtime_error("the mapping from network input to frame is empty");
  }
  if (!std::all_of(heat.values.begin(), heat.values.end(),
                   [](float value) { return std::isfinite(value); })) {
    throw std::runtime_error("the heat map holds a NaN or an infinity");
  }
}

/// The heat's rows enlarged sideways; its height stays.
cv::Mat widen(const HeatMap& heat, const Axis& x) {
  cv::Mat wide(heat.height, x.end - x.begin, CV_32F);
  cv::parallel_for_(cv::Range(0, heat.height), [&](const cv::Range& rows) {
    for (int row = rows.start; row < rows.end; ++row) {
      const float* from = heat.values.data() + static_cast<std::size_t>(row) * heat.width;
      float* to = wide.ptr<float>(row);
      for (const Tap& tap : x.taps) {
        const float near = from[tap.first];
        *to++ = near + (from[tap.second] - near) * tap.toward_second;
      }
    }
  });
  return wide;
}

void heighten(const cv::Mat& wide, const Axis& y, cv::Mat target) {
  cv::parallel_for_(cv::Range(0, target.rows), [&](const cv::Range& rows) {
    for (int row = rows.start; row < rows.end; ++row) {
      const Tap tap = y.taps[static_cast<std::size_t>(row)];
      const float* first = wide.ptr<float>(tap.first);
      const float* second = wide.ptr<float>(tap.second);
      float* to = target.ptr<float>(row);
      for (int i = 0; i < wide.cols; ++i)
        to[i] = first[i] + (second[i] - first[i]) * tap.toward_second;
    }
  });
}

void min_max_in_place(cv::Mat values) {
  double lowest = 0;
  double highest = 0;
  cv::minMaxLoc(values, &lowest, &highest);
  const double scale = 1 / (highest - lowest + 1e-8);
  values.convertTo(values, CV_32F, scale, -lowest * scale);
}

}  // namespace

cv::Mat map_on_frame(const HeatMap& heat, const Mapping& mapping, cv::Size blob_size, Style style) {
  check(heat, mapping, blob_size);
  const double heat_per_blob_x = static_cast<double>(heat.width) / blob_size.width;
  const double heat_per_blob_y = static_cast<double>(heat.height) / blob_size.height;
  const Region& frame = mapping.in_frame;
  const Region& blob = mapping.in_blob;
  const Axis x = make_axis(frame.x, frame.width, mapping.frame_width, blob.x * heat_per_blob_x,
                           blob.width * heat_per_blob_x, heat.width);
  const Axis y = make_axis(frame.y, frame.height, mapping.frame_height, blob.y * heat_per_blob_y,
                           blob.height * heat_per_blob_y, heat.height);

  cv::Mat map(mapping.frame_height, mapping.frame_width, CV_32F);
  const cv::Rect shown(x.begin, y.begin, x.end - x.begin, y.end - y.begin);
  if (shown.size() != map.size()) map.setTo(0);
  if (shown.empty()) return map;
  cv::Mat target = map(shown);
  heighten(widen(heat, x), y, target);
  if (style == Style::kNotebook) min_max_in_place(target);
  return map;
}

cv::Mat drawable(const cv::Mat& map, Style style) {
  if (map.empty() || style == Style::kGradcam || style == Style::kNotebook) return map;
  cv::Mat result = map.clone();
  if (style == Style::kRaw) {
    min_max_in_place(result);
    return result;
  }
  double low = 0;
  double high = 0;
  cv::minMaxLoc(map, &low, &high);
  const double largest = std::max({-low, high, 1e-12});
  result.convertTo(result, CV_32F, 0.5 / largest, 0.5);
  return result;
}

}  // namespace gradcam
