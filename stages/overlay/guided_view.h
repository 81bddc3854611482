#pragma once

#include <opencv2/core.hpp>

#include "stages/frame/blob.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// The input's gradient as a picture of frame size, BGR u8: each value's distance from the mean of
/// all in standard deviations, a tenth of the range for each, around the middle grey, as
/// pytorch-grad-cam shows it. `map`: float32 of frame size by which it is multiplied first (Guided
/// Grad-CAM, Selvaraju 2017, 3.2); empty = by nothing. `mapping` and `blob_size` as map_on_frame()
/// takes them. Pure; any thread.
cv::Mat guided_picture(const InputGradient& gradient, const cv::Mat& map, const Mapping& mapping,
                       cv::Size blob_size);

}  // namespace gradcam
