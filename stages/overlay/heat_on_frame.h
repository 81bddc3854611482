#pragma once

#include <opencv2/core.hpp>

#include "config/options.h"
#include "stages/frame/blob.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// The heat of a network input, laid on the frame that input was made from: float32 HxW 0..1 of
/// frame size, 0 where the network saw nothing (outside `mapping.in_frame`).
/// `heat` covers the whole blob, at its size (style gradcam) or smaller (notebook); what lies in
/// the padding of a letterbox is left out. Bilinear between pixel centres (cv::INTER_LINEAR).
/// Style gradcam takes the values as they are. Style notebook scales them after enlarging:
/// (x - min) / (max - min + 1e-8) over the part the network saw; 0 everywhere stays 0.
/// Throws std::runtime_error on NaN or infinity, and on sizes that do not fit. Pure; any thread.
cv::Mat map_on_frame(const HeatMap& heat, const Mapping& mapping, cv::Size blob_size, Style style);

/// A map as it is drawn, 0..1. Style raw: its least value becomes 0, its largest 1. Style captum: 0
/// becomes 0.5, and the largest magnitude 0 or 1. Other maps stay as they are.
cv::Mat drawable(const cv::Mat& map, Style style);

}  // namespace gradcam
