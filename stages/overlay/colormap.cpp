#include "stages/overlay/colormap.h"

#include <algorithm>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace gradcam {
namespace {

struct OpencvMap {
  Colormap value;
  int id;
};

constexpr std::array kOpencvMaps = {OpencvMap{Colormap::kJet, cv::COLORMAP_JET},
                                    OpencvMap{Colormap::kTurbo, cv::COLORMAP_TURBO},
                                    OpencvMap{Colormap::kViridis, cv::COLORMAP_VIRIDIS},
                                    OpencvMap{Colormap::kInferno, cv::COLORMAP_INFERNO},
                                    OpencvMap{Colormap::kMagma, cv::COLORMAP_MAGMA},
                                    OpencvMap{Colormap::kPlasma, cv::COLORMAP_PLASMA},
                                    OpencvMap{Colormap::kHot, cv::COLORMAP_HOT},
                                    OpencvMap{Colormap::kBone, cv::COLORMAP_BONE}};
static_assert(same_values(kOpencvMaps, kColormaps), "colours for each of kColormaps, in its order");

std::array<ColorTable, kOpencvMaps.size()> make_tables() {
  cv::Mat steps(1, 256, CV_8U);
  for (int i = 0; i < 256; ++i) steps.at<uchar>(i) = static_cast<uchar>(i);
  std::array<ColorTable, kOpencvMaps.size()> tables;
  for (std::size_t i = 0; i < kOpencvMaps.size(); ++i) {
    cv::Mat colors;
    cv::applyColorMap(steps, colors, kOpencvMaps[i].id);
    std::copy_n(colors.ptr<cv::Vec3b>(), 256, tables[i].begin());
  }
  return tables;
}

}  // namespace

const ColorTable& color_table(Colormap colormap) {
  static const auto kTables = make_tables();
  const auto row = &row_of(kOpencvMaps, colormap) - kOpencvMaps.data();
  return kTables.at(static_cast<std::size_t>(row));
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
