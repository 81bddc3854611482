#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "config/options.h"
#include "stages/explain/explanation.h"

namespace gradcam {

/// (x - min) / (1e-7 + (max - min)), as pytorch-grad-cam's scale_cam_image; 0 everywhere stays 0.
at::Tensor min_max(const at::Tensor& map);

/// From the method maps of one target, one float [h, w] per layer, to heat of float [H, W]:
/// gradcam: ReLU and min-max at map size, bilinear to height x width (the network's input,
///   align_corners=False), mean over layers, ReLU, min-max (pytorch-grad-cam 1.5).
/// notebook: ReLU only, at the size of the first layer's map, mean over layers; enlarging and
///   scaling follow on the frame.
/// Throws std::runtime_error if a map holds a NaN or an infinity.
at::Tensor to_heat(const std::vector<at::Tensor>& maps, Style style, int height, int width);

/// The largest value at each place of the heats of several targets.
HeatMap merge_heats(const std::vector<at::Tensor>& heats);

}  // namespace gradcam
