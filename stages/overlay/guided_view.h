#pragma once

#include <opencv2/core.hpp>

#include "stages/frame/blob.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// The input's gradient as a picture of frame size, BGR u8, as pytorch-grad-cam shows it: the mean
/// of all values is the middle grey, a standard deviation from it a tenth of the range. `map`, if
/// not empty, multiplies the gradient first (Guided Grad-CAM, Selvaraju 2017, 3.2): float32 of
/// frame size. `mapping` and `blob_size` are those of map_on_frame(). Pure; any thread.
cv::Mat guided_picture(const InputGradient& gradient, const cv::Mat& map, const Mapping& mapping,
                       cv::Size blob_size);

}  // namespace gradcam
