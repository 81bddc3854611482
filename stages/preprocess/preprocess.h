#pragma once

#include <opencv2/core.hpp>

#include "stages/frame/blob.h"
#include "stages/frame/description.h"
#include "stages/picture/picture.h"

namespace gradcam {

/// A frame as the network sees it, and which part of the frame that is.
struct NetworkInput {
  Blob blob;
  Mapping mapping;
};

/// Crop, resize (stretch, letterbox or center-crop) and colour order as `description` says.
/// Equal to PIL/torchvision within one grey level when antialias is set: stretch = Resize((h, w)),
/// center-crop = Resize(shorter side) + CenterCrop. Of a frame in BGR the bytes are Pillow's own;
/// of one in planes of 8 bits some differ by one level (plane_resizer.h), as only the rows that
/// are resized ever become colours. Any thread.
NetworkInput to_network_input(const Picture& frame, const ModelDescription& description);
/// `frame`: BGR u8 HxWx3.
NetworkInput to_network_input(const cv::Mat& frame, const ModelDescription& description);

/// The frame with its longer side at most `max_dim` pixels (aspect kept, antialiased), in BGR; the
/// same frame when it is small enough or max_dim is 0.
Picture shrink(const Picture& frame, int max_dim);

}  // namespace gradcam
