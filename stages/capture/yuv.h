#pragma once

#include <cstdint>
#include <opencv2/core.hpp>

namespace gradcam {

/// How a film codes its colours: the weights of red and blue in luma, the byte that stands for luma
/// 0, and how many steps lie between luma 0 and 1 and between chroma -0.5 and 0.5.
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
