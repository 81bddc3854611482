#include "stages/overlay/cam_figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace gradcam {
namespace {

double entropy_of(const cv::Mat& map) {
  constexpr int kMostPerSide = 128;
  cv::Mat samples(std::min(map.rows, kMostPerSide), std::min(map.cols, kMostPerSide), CV_32F);
  for (int y = 0; y < samples.rows; ++y) {
    const float* row = map.ptr<float>((2 * y + 1) * map.rows / (2 * samples.rows));
    float* sample = samples.ptr<float>(y);
    for (int x = 0; x < samples.cols; ++x) {
      // Not 0, whose logarithm is infinite.
      sample[x] = std::max(row[(2 * x + 1) * map.cols / (2 * samples.cols)], 1e-20f);
    }
  }
  const double sum = cv::sum(samples)[0];
  if (sum < 1e-10 || samples.total() < 2) return 0;
  cv::Mat logs;
  cv::log(samples, logs);
  // -sum p log p with p = v / sum
  const double entropy = std::log(sum) - samples.dot(logs) / sum;
  return std::clamp(entropy / std::log(static_cast<double>(samples.total())), 0.0, 1.0);
}

/// Sums over a map: of the values, of the values times column and row, of those above 0.5; and the
/// highest of each column.
struct Sums {
  double values = 0;
  cv::Point2d moments;
  int above = 0;
  std::vector<float> highest;
};

/// Adds columns [begin, begin + Width). Column by column, because a single sum over floats cannot
/// be worked out many pixels at a time; the columns' sums are local, so that the compiler knows
/// that they are not part of the map.
template <std::size_t Width>
void add_columns(const cv::Mat& map, int begin, Sums& sums) {
  std::array<float, Width> values{};
  std::array<float, Width> moments{};
  std::array<int, Width> above{};
  std::array<float, Width> highest{};
  for (int y = 0; y < map.rows; ++y) {
    const float* row = map.ptr<float>(y) + begin;
    const auto weight = static_cast<float>(y);
    for (std::size_t x = 0; x < Width; ++x) {
      values[x] += row[x];
      moments[x] += row[x] * weight;
      above[x] += row[x] > 0.5f ? 1 : 0;
      highest[x] = row[x] > highest[x] ? row[x] : highest[x];
    }
  }
  for (std::size_t x = 0; x < Width; ++x) {
    const double column = begin + static_cast<double>(x);
    sums.values += values[x];
    sums.moments += cv::Point2d(values[x] * column, moments[x]);
    sums.above += above[x];
    sums.highest.push_back(highest[x]);
  }
}

Sums sums_of(const cv::Mat& map) {
  Sums sums;
  int x = 0;
  // Wide strips, because short pieces of long rows come slowly from memory.
  for (; x + 256 <= map.cols; x += 256) add_columns<256>(map, x, sums);
  for (; x + 32 <= map.cols; x += 32) add_columns<32>(map, x, sums);
  for (; x < map.cols; ++x) add_columns<1>(map, x, sums);
  return sums;
}

/// The first place, row by row, that holds the highest value of all.
cv::Point peak_of(const cv::Mat& map, const std::vector<float>& highest, float most) {
  cv::Point peak(0, map.rows);
  for (int x = 0; x < map.cols; ++x) {
    if (highest[static_cast<std::size_t>(x)] < most) continue;
    int y = 0;
    while (y < peak.y && map.at<float>(y, x) < most) ++y;
    if (y < peak.y) peak = {x, y};
  }
  return peak;
}

}  // namespace

CamFigures figures_of(const cv::Mat& map) {
  CamFigures figures;
  const Sums sums = sums_of(map);
  const float most = *std::max_element(sums.highest.begin(), sums.highest.end());
  if (most <= 0) return figures;
  figures.peak = peak_of(map, sums.highest, most);
  figures.centroid = sums.moments / sums.values;
  figures.coverage = sums.above / static_cast<double>(map.total());
  figures.entropy = entropy_of(map);
  return figures;
}

}  // namespace gradcam
