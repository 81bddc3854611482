#include "stages/overlay/colormap.h"

#include <algorithm>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace gradcam {
namespace {

/// In the order of Colormap.
constexpr std::array kOpencvMaps = {cv::COLORMAP_JET,     cv::COLORMAP_TURBO, cv::COLORMAP_VIRIDIS,
                                    cv::COLORMAP_INFERNO, cv::COLORMAP_MAGMA, cv::COLORMAP_PLASMA,
                                    cv::COLORMAP_HOT,     cv::COLORMAP_BONE};
static_assert(kOpencvMaps.size() == kColormaps.size(), "one for each Colormap");

std::array<ColorTable, kOpencvMaps.size()> make_tables() {
  cv::Mat steps(1, 256, CV_8U);
  for (int i = 0; i < 256; ++i) steps.at<uchar>(i) = static_cast<uchar>(i);
  std::array<ColorTable, kOpencvMaps.size()> tables;
  for (std::size_t i = 0; i < kOpencvMaps.size(); ++i) {
    cv::Mat colors;
    cv::applyColorMap(steps, colors, kOpencvMaps[i]);
    std::copy_n(colors.ptr<cv::Vec3b>(), 256, tables[i].begin());
  }
  return tables;
}

}  // namespace

const ColorTable& color_table(Colormap colormap) {
  static const auto kTables = make_tables();
  return kTables.at(static_cast<std::size_t>(colormap));
}

cv::Mat colorize(const cv::Mat& map, Colormap colormap) {
  // Four bytes are stored at once, three of them count: faster than three single ones.
  std::array<std::array<uchar, 4>, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::copy_n(color_table(colormap)[i].val, 3, table[i].begin());
  }
  cv::Mat colors(map.size(), CV_8UC3);
  std::vector<int> steps(static_cast<std::size_t>(map.cols));
  for (int y = 0; y < map.rows; ++y) {
    const float* from = map.ptr<float>(y);
    for (int x = 0; x < map.cols; ++x) {
      steps[static_cast<std::size_t>(x)] =
          static_cast<int>(std::min(255.f, std::max(0.f, 255 * from[x])));
    }
    uchar* to = colors.ptr(y);
    for (int x = 0; x + 1 < map.cols; ++x, to += 3) {
      std::memcpy(to, table[static_cast<std::size_t>(steps[static_cast<std::size_t>(x)])].data(),
                  4);
    }
    std::memcpy(to, table[static_cast<std::size_t>(steps.back())].data(), 3);
  }
  return colors;
}

}  // namespace gradcam
