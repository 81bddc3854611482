#pragma once

#include <cstdint>
#include <opencv2/core.hpp>

namespace gradcam {

/// How the film's numbers stand for colours: weights of red and blue in luma, and what 0 and 1 (for
/// chroma -0.5 .. 0.5) are in bytes.
struct YuvCoding {
  double kr = 0.299;  ///< BT.601
  double kb = 0.114;
  int luma_offset = 16;
  int luma_scale = 219;
  int chroma_scale = 224;
};

/// A 4:2:0 picture in three planes, which belong to the caller.
struct I420 {
  int width = 0;
  int height = 0;
  const std::uint8_t* planes[3] = {};
  int strides[3] = {};
};

/// BGR u8 by the exact formula, within one grey level; a chroma sample colours its four pixels.
/// (GStreamer's own converter comes out up to three levels too dark.)
cv::Mat i420_to_bgr(const I420& picture, const YuvCoding& coding);

}  // namespace gradcam
