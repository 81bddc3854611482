#pragma once

#include <opencv2/core.hpp>

#include "stages/frame/blob.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// The frame (BGR u8) with each place tinted in the colour of its class: class_color() of
/// box_drawing.h. `classes` covers the network's input of `blob_size`; `mapping` says where that
/// lies in the frame. What the network did not see, and what is of no class, stays as it is. Pure.
cv::Mat tinted(const cv::Mat& frame, const ClassMap& classes, const Mapping& mapping,
               cv::Size blob_size);

}  // namespace gradcam
