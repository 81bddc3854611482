#pragma once

#include <opencv2/core.hpp>

#include "config/options.h"

namespace gradcam {

/// Coloured heat over the picture, both BGR u8 of one size.
/// gradcam: image * (1 - opacity) + heat * opacity, everywhere alike. notebook: image + heat *
/// opacity, clipped at white (the notebook's factor is 0.4). Neither is scaled afterwards, so a
/// place without heat looks the same in every frame.
cv::Mat blend(const cv::Mat& image, const cv::Mat& heat, Style style, double opacity);

}  // namespace gradcam
