#include "stages/picture/color.h"

#include <cmath>

#include "stages/picture/kernels/kernels.h"

namespace gradcam {

YuvScale yuv_scale(const ColorDescription& color) {
  YuvScale scale;
  if (color.range == ColorRange::kFull) scale = {0.299, 0.114, 0, 255, 255};
  const auto weights = [&](double kr, double kb) {
    scale.kr = kr;
    scale.kb = kb;
  };
  switch (color.matrix) {
    case YuvMatrix::kBt709:
      weights(0.2126, 0.0722);
      break;
    case YuvMatrix::kFcc:
      weights(0.30, 0.11);
      break;
    case YuvMatrix::kSmpte240m:
      weights(0.212, 0.087);
      break;
    case YuvMatrix::kBt2020:
    case YuvMatrix::kBt2020Constant:
      weights(0.2627, 0.0593);
      break;
    case YuvMatrix::kUnspecified:
    case YuvMatrix::kBt470Bg:
    case YuvMatrix::kBt601:
      break;
  }
  return scale;
}

std::array<double, 3> yuv_of(double blue, double green, double red, const YuvScale& scale) {
  const double luma = (scale.kr * red + (1 - scale.kr - scale.kb) * green + scale.kb * blue) / 255;
  return {scale.luma_offset + scale.luma_scale * luma,
          128 + scale.chroma_scale * (blue / 255 - luma) / (2 * (1 - scale.kb)),
          128 + scale.chroma_scale * (red / 255 - luma) / (2 * (1 - scale.kr))};
}

kernels::YuvFactors yuv_factors(const YuvScale& scale) {
  constexpr int kUnit = 32;  // sums are in 1/32 of a level
  const auto factor = [](double value, int shift) {
    return static_cast<std::int16_t>(std::lround(value * kUnit * 65536 / (1 << shift)));
  };
  const double kg = 1 - scale.kr - scale.kb;
  const double red = 2 * (1 - scale.kr) * 255 / scale.chroma_scale;
  const double blue = 2 * (1 - scale.kb) * 255 / scale.chroma_scale;
  return {factor(255.0 / scale.luma_scale, 7),
          factor(red, 8),
          factor(-scale.kb * blue / kg, 8),
          factor(-scale.kr * red / kg, 8),
          factor(blue, 8),
          static_cast<std::int16_t>(scale.luma_offset)};
}

kernels::BgrFactors bgr_factors(const YuvScale& scale) {
  const double kg = 1 - scale.kr - scale.kb;
  const auto luma = [&](double weight) {
    return static_cast<std::uint16_t>(std::lround(weight * scale.luma_scale / 255 * 65536));
  };
  // The rounding of a byte, and half of what each of three products loses by being cut off.
  constexpr int kRounding = 128 + 1;
  const auto chroma = [&](double weight, double own) {
    const double part = (weight > 0 ? weight : 0) * scale.chroma_scale / 255 / (2 * (1 - own));
    return static_cast<std::int16_t>(std::lround(part * (1 << kernels::kWeightBits)));
  };
  const int u_g = chroma(kg, scale.kb);
  const int u_r = chroma(scale.kr, scale.kb);
  const int v_b = chroma(scale.kb, scale.kr);
  const int v_g = chroma(kg, scale.kr);
  // Those of one plane add up to nothing: grey has no chroma, exactly.
  return {luma(scale.kb),
          luma(kg),
          luma(scale.kr),
          static_cast<std::uint16_t>(scale.luma_offset * 256 + kRounding),
          static_cast<std::uint16_t>(scale.luma_offset),
          static_cast<std::int16_t>(u_g + u_r),
          static_cast<std::int16_t>(-u_g),
          static_cast<std::int16_t>(-u_r),
          static_cast<std::int16_t>(-v_b),
          static_cast<std::int16_t>(-v_g),
          static_cast<std::int16_t>(v_b + v_g)};
}

}  // namespace gradcam
