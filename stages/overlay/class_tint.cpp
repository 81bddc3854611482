#include "stages/overlay/class_tint.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "stages/overlay/box_drawing.h"

namespace gradcam {
namespace {

constexpr double kStrength = 0.4;
constexpr int kNowhere = -1;

/// For each pixel of the frame along one axis the row or column of the class map that it shows.
std::vector<int> places_of(int pixels, double in_frame, double frame_length, double in_blob,
                           double blob_length, int blob_size, int map_size) {
  std::vector<int> places(static_cast<std::size_t>(pixels), kNowhere);
  for (int i = 0; i < pixels; ++i) {
    const double inside = (i + 0.5 - in_frame) / frame_length;
    if (inside < 0 || inside >= 1) continue;
    const double at = (in_blob + inside * blob_length) * map_size / blob_size;
    places[static_cast<std::size_t>(i)] =
        std::clamp(static_cast<int>(std::floor(at)), 0, map_size - 1);
  }
  return places;
}

std::vector<cv::Vec3b> colors_of(const ClassMap& classes) {
  int most = 0;
  for (const std::uint16_t index : classes.classes) {
    if (index != ClassMap::kNoClass) most = std::max<int>(most, index);
  }
  std::vector<cv::Vec3b> colors;
  for (int i = 0; i <= most; ++i) {
    const cv::Scalar color = class_color(i);
    colors.emplace_back(cv::saturate_cast<std::uint8_t>(color[0]),
                        cv::saturate_cast<std::uint8_t>(color[1]),
                        cv::saturate_cast<std::uint8_t>(color[2]));
  }
  return colors;
}

}  // namespace

cv::Mat tinted(const cv::Mat& frame, const ClassMap& classes, const Mapping& mapping,
               cv::Size blob_size) {
  const Region& shown = mapping.in_frame;
  const Region& blob = mapping.in_blob;
  const auto columns = places_of(frame.cols, shown.x, shown.width, blob.x, blob.width,
                                 blob_size.width, classes.width);
  const auto rows = places_of(frame.rows, shown.y, shown.height, blob.y, blob.height,
                              blob_size.height, classes.height);
  const std::vector<cv::Vec3b> colors = colors_of(classes);
  cv::Mat result = frame.clone();
  for (int y = 0; y < frame.rows; ++y) {
    const int row = rows[static_cast<std::size_t>(y)];
    if (row == kNowhere) continue;
    const std::uint16_t* const line =
        classes.classes.data() + static_cast<std::ptrdiff_t>(row) * classes.width;
    auto* const pixels = result.ptr<cv::Vec3b>(y);
    for (int x = 0; x < frame.cols; ++x) {
      const int column = columns[static_cast<std::size_t>(x)];
      if (column == kNowhere || line[column] == ClassMap::kNoClass) continue;
      const cv::Vec3b& color = colors[line[column]];
      for (int c = 0; c < 3; ++c) {
        pixels[x][c] =
            cv::saturate_cast<std::uint8_t>(pixels[x][c] * (1 - kStrength) + color[c] * kStrength);
      }
    }
  }
  return result;
}

}  // namespace gradcam
