#pragma once

#include <opencv2/core.hpp>
#include <string>

#include "config/options.h"

namespace gradcam {

/// Size of side_by_side() for pictures of this size: depends on nothing else, even in both
/// directions.
cv::Size side_by_side_size(cv::Size picture);

/// Widest title that fits, and the line height it is drawn with.
int title_width(cv::Size picture);
int title_line_height(cv::Size picture);

/// Original and result (BGR u8, one size) beside each other, under a line with `title` (ASCII,
/// over the result), with a colour bar 0..1 on the right.
cv::Mat side_by_side(const cv::Mat& original, const cv::Mat& result, const std::string& title,
                     Colormap colormap);

}  // namespace gradcam
