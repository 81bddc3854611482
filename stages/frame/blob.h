#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

namespace gradcam {

/// The network's input picture: u8, height x width x channels, interleaved, in the network's
/// channel order. It is not normalised yet (scale, mean, std): the engine does that, so that a
/// quarter of the bytes need to be moved.
struct Blob {
  int height = 0;
  int width = 0;
  std::pmr::vector<std::uint8_t> pixels;  ///< pmr: a program may reuse the memory of earlier frames
  int channels = 3;                       ///< or 1: gray
};

/// A rectangle in pixels whose edges may lie between pixels (0 = left edge of the first pixel).
struct Region {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

/// Which part of the frame the network sees, and where it lies in the blob: the rectangle `in_blob`
/// (blob pixels) shows the rectangle `in_frame` (frame pixels). Stretch: both are whole. Letterbox:
/// `in_blob` leaves out the padding. Crop: `in_frame` is the crop.
struct Mapping {
  int frame_width = 0;
  int frame_height = 0;
  Region in_frame;
  Region in_blob;
};

}  // namespace gradcam
