#pragma once

#include <opencv2/core.hpp>

namespace gradcam {

/// Antialiased bilinear resize of u8 HxWx3, equal to PIL's BILINEAR within one grey level.
/// OpenCV has none: INTER_AREA differs from PIL by up to 24 levels, INTER_LINEAR by up to 82, which
/// moves probabilities. Runs on the calling thread alone; any thread.
cv::Mat resize_antialiased(const cv::Mat& picture, cv::Size size);

}  // namespace gradcam
