#include "stages/overlay/cam_figures.h"

#include <algorithm>
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

/// Sums down each column: of the values, of the values times their row, of those above 0.5. Column
/// by column, because a single sum over floats cannot be worked out many pixels at a time.
struct ColumnSums {
  explicit ColumnSums(const cv::Mat& map)
      : values(static_cast<std::size_t>(map.cols)), moments(values.size()), above(values.size()) {
    for (int y = 0; y < map.rows; ++y) {
      const float* row = map.ptr<float>(y);
      const auto weight = static_cast<float>(y);
      for (std::size_t x = 0; x < values.size(); ++x) {
        values[x] += row[x];
        moments[x] += row[x] * weight;
        above[x] += row[x] > 0.5f ? 1 : 0;
      }
    }
  }

  std::vector<float> values;
  std::vector<float> moments;
  std::vector<int> above;
};

}  // namespace

CamFigures figures_of(const cv::Mat& map) {
  CamFigures figures;
  double highest = 0;
  cv::minMaxLoc(map, nullptr, &highest, nullptr, &figures.peak);
  if (highest <= 0) {
    figures.centroid = {(map.cols - 1) / 2.0, (map.rows - 1) / 2.0};
    figures.peak = {map.cols / 2, map.rows / 2};
    return figures;
  }
  const ColumnSums columns(map);
  double sum = 0;
  double above = 0;
  for (std::size_t x = 0; x < columns.values.size(); ++x) {
    sum += columns.values[x];
    above += columns.above[x];
    figures.centroid += cv::Point2d(static_cast<double>(columns.values[x]) * static_cast<double>(x),
                                    columns.moments[x]);
  }
  figures.centroid /= sum;
  figures.coverage = above / static_cast<double>(map.total());
  figures.entropy = entropy_of(map);
  return figures;
}

}  // namespace gradcam
