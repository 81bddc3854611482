#pragma once

#include <array>
#include <cstdint>

namespace gradcam {

namespace kernels {
struct YuvFactors;
struct BgrFactors;
}  // namespace kernels

/// Weights of red and blue in luma. The numbers are those of ITU-T H.273 (MatrixCoefficients), as
/// films carry them; any other number of that standard counts as kUnspecified.
enum class YuvMatrix : std::uint8_t {
  kBt709 = 1,
  kUnspecified = 2,  ///< taken for kBt601
  kFcc = 4,
  kBt470Bg = 5,  ///< the weights of kBt601
  kBt601 = 6,
  kSmpte240m = 7,
  kBt2020 = 9,
  kBt2020Constant = 10,  ///< taken for kBt2020
};

enum class ColorRange : std::uint8_t {
  kUnspecified,  ///< taken for kLimited
  kLimited,      ///< luma 16 .. 235, chroma 16 .. 240
  kFull,         ///< 0 .. 255
};

/// Where a chroma sample of 4:2:0 or 4:2:2 lies. It is carried from source to film; the conversions
/// here let a sample colour all its pixels, wherever it lies (a quarter of a sample at most).
enum class ChromaSite : std::uint8_t { kUnspecified, kLeft, kCenter, kTopLeft, kTop };

/// How a picture codes its colours.
struct ColorDescription {
  YuvMatrix matrix = YuvMatrix::kUnspecified;
  ColorRange range = ColorRange::kUnspecified;
  /// H.273's ColourPrimaries and TransferCharacteristics, 2 = unspecified: carried, not used.
  std::uint8_t primaries = 2;
  std::uint8_t transfer = 2;
  ChromaSite site = ChromaSite::kUnspecified;

  bool operator==(const ColorDescription&) const = default;
};

/// The numbers of a coding of 8 bits: weights of red and blue in luma, the byte of luma 0, and how
/// many steps lie between luma 0 and 1 and between chroma -0.5 and 0.5.
struct YuvScale {
  double kr = 0.299;
  double kb = 0.114;
  int luma_offset = 16;
  int luma_scale = 219;
  int chroma_scale = 224;
};

YuvScale yuv_scale(const ColorDescription& color);

/// Y, U, V of a colour 0..255, not rounded (ITU-R BT.601, BT.709, BT.2020: 2.5).
std::array<double, 3> yuv_of(double blue, double green, double red, const YuvScale& scale);

/// The same formulas in the fixed point of the kernels, both ways.
kernels::YuvFactors yuv_factors(const YuvScale& scale);
kernels::BgrFactors bgr_factors(const YuvScale& scale);

}  // namespace gradcam
