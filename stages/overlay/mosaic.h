#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace gradcam {

/// Several pictures in one: a grid of equal cells, row by row, with thin gaps.
struct MosaicLayout {
  cv::Size size;
  std::vector<cv::Rect> cells;
};

/// For `count` (>= 1) pictures of about this size, in about as many columns as rows. A cell has the
/// shape of `picture` and its size, or less, so that the whole stays within `bounds`.
MosaicLayout mosaic_layout(int count, cv::Size picture, cv::Size bounds = {1920, 1080});

/// The mosaic before any picture has come: each cell dark, with its name (UTF-8).
cv::Mat empty_mosaic(const MosaicLayout& layout, const std::vector<std::string>& names);

}  // namespace gradcam
