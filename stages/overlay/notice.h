#pragma once

#include <opencv2/core.hpp>
#include <string>

namespace gradcam {

/// Draws a short text (UTF-8) on a plate of its own, low in the middle of `picture` (BGR u8).
void draw_notice(cv::Mat& picture, const std::string& text);

}  // namespace gradcam
