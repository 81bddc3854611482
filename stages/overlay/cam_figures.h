#pragma once

#include <opencv2/core.hpp>

#include "stages/frame/frame.h"

namespace gradcam {

/// Sums up a float32 HxW map 0..1 in a few numbers; in pixel coordinates (0,0) is the first pixel.
/// Entropy is that of at most 128x128 pixels spread evenly over the map, divided by the log of
/// their number. A map that is 0 everywhere has coverage and entropy 0, and neither peak nor
/// centroid. Pure; any thread.
CamFigures figures_of(const cv::Mat& map);

}  // namespace gradcam
