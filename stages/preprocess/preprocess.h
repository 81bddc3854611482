#pragma once

#include <opencv2/core.hpp>

#include "stages/frame/blob.h"
#include "stages/frame/description.h"

namespace gradcam {

/// A frame as the network sees it, and which part of the frame that is.
struct NetworkInput {
  Blob blob;
  Mapping mapping;
};

/// Crop, resize (stretch, letterbox or center-crop) and colour order as `description` says.
/// `frame`: BGR u8 HxWx3. Equal to PIL/torchvision within one grey level when antialias is set:
/// stretch = Resize((h, w)), center-crop = Resize(shorter side) + CenterCrop. Pure; any thread.
NetworkInput to_network_input(const cv::Mat& frame, const ModelDescription& description);

/// The frame with its longer side at most `max_dim` pixels (aspect kept, antialiased); the same
/// frame when it is small enough or max_dim is 0.
cv::Mat shrink(const cv::Mat& frame, int max_dim);

}  // namespace gradcam
