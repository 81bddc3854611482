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

inline constexpr YuvCoding kFullRange{0.299, 0.114, 0, 255, 255};

/// `coding` with other weights.
constexpr YuvCoding with_weights(YuvCoding coding, double kr, double kb) {
  coding.kr = kr;
  coding.kb = kb;
  return coding;
}

/// A picture in three planes of bytes, which belong to the caller. A chroma sample stands for
/// 2^chroma_x by 2^chroma_y pixels: 1, 1 is 4:2:0; 1, 0 is 4:2:2; 0, 0 is 4:4:4.
struct PlanarYuv {
  int width = 0;
  int height = 0;
  int chroma_x = 1;
  int chroma_y = 1;
  const std::uint8_t* planes[3] = {};
  int strides[3] = {};
};

/// BGR u8 by the exact formula, within one grey level; a chroma sample colours all its pixels.
/// (GStreamer's own converter comes out up to three levels too dark.)
cv::Mat yuv_to_bgr(const PlanarYuv& picture, const YuvCoding& coding);

}  // namespace gradcam
