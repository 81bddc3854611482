#pragma once

#include <array>
#include <opencv2/core.hpp>

#include "config/looks.h"

namespace gradcam {

/// BGR for each of 256 steps from no heat to most heat.
using ColorTable = std::array<cv::Vec3b, 256>;

/// Any thread; lives as long as the program.
const ColorTable& color_table(Colormap colormap);

/// float32 HxW 0..1 to BGR u8 HxWx3: step uint8(255 * x), truncated as the Python tools do.
cv::Mat colorize(const cv::Mat& map, Colormap colormap);

}  // namespace gradcam
