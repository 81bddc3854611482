#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/overlay/drawing.h"

namespace gradcam {

/// Two pictures of one size beside each other: where they go, and what is drawn around them, in
/// parts that lie apart.
struct SideBySide {
  cv::Size size;
  cv::Rect original;  ///< both begin on even pixels
  cv::Rect result;
  cv::Scalar background;
  std::vector<Drawing> around;  ///< captions, and a colour bar 0..1 on the right
};

/// `title` (ASCII) stands on a line above the result.
SideBySide side_by_side(cv::Size picture, const std::string& title, Colormap colormap);

/// The size of side_by_side() for pictures of this size. Width and height are even.
cv::Size side_by_side_size(cv::Size picture);

/// Widest title that fits, and the line height it is drawn with.
int title_width(cv::Size picture);
int title_line_height(cv::Size picture);

/// Original and result (BGR u8, one size) so.
cv::Mat side_by_side(const cv::Mat& original, const cv::Mat& result, const std::string& title,
                     Colormap colormap);

}  // namespace gradcam
