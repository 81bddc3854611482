#include "stages/overlay/mosaic.h"

#include <algorithm>
#include <cmath>

#include "stages/overlay/text.h"

namespace gradcam {
namespace {

constexpr int kGap = 4;
const cv::Scalar kGround(48, 44, 40);
const cv::Scalar kNoPicture(24, 20, 18);
const cv::Scalar kName(185, 178, 172);

void draw_name(cv::Mat& cell, const std::string& name) {
  const int line = line_height_for(cell.size());
  const std::string text = fitted(to_ascii(name), line, cell.cols - line);
  draw_text(cell, text, {(cell.cols - text_width(text, line)) / 2, (cell.rows - line) / 2}, line,
            kName);
}

}  // namespace

MosaicLayout mosaic_layout(int count, cv::Size picture, cv::Size bounds) {
  const int columns = static_cast<int>(std::ceil(std::sqrt(count)));
  const int rows = (count + columns - 1) / columns;
  const int width = std::max(1, (bounds.width - (columns - 1) * kGap) / columns);
  const int height = std::max(1, (bounds.height - (rows - 1) * kGap) / rows);
  const double scale = std::min({1.0, static_cast<double>(width) / picture.width,
                                 static_cast<double>(height) / picture.height});
  const cv::Size cell(std::clamp(static_cast<int>(std::lround(picture.width * scale)), 1, width),
                      std::clamp(static_cast<int>(std::lround(picture.height * scale)), 1, height));
  MosaicLayout layout;
  layout.size = {columns * (cell.width + kGap) - kGap, rows * (cell.height + kGap) - kGap};
  for (int i = 0; i < count; ++i) {
    layout.cells.emplace_back(
        cv::Point(i % columns * (cell.width + kGap), i / columns * (cell.height + kGap)), cell);
  }
  return layout;
}

cv::Mat empty_mosaic(const MosaicLayout& layout, const std::vector<std::string>& names) {
  cv::Mat mosaic(layout.size, CV_8UC3, kGround);
  for (std::size_t i = 0; i < layout.cells.size(); ++i) {
    cv::Mat cell = mosaic(layout.cells[i]);
    cell.setTo(kNoPicture);
    draw_name(cell, names.at(i));
  }
  return mosaic;
}

}  // namespace gradcam
