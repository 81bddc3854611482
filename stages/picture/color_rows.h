#pragma once

#include <cstdint>
#include <vector>

#include "stages/picture/kernels/kernels.h"
#include "stages/picture/planes.h"

namespace gradcam {

/// Reads a picture of 8 bits row by row as colours 0..255, within one level of the exact formula; a
/// chroma sample colours all its pixels. An object is for one thread; it keeps its memory from one
/// picture to the next.
class ColorRows {
 public:
  /// For the columns [x, x + width), where x lies on a chroma sample. The picture has to stay.
  /// Throws std::invalid_argument on 10 bits.
  void begin(const PictureView& picture, int x, int width, const kernels::Table& table);

  /// Blue, green, red, or only one of grey pictures.
  int channels() const { return picture_.format == PixelFormat::kGray ? 1 : 3; }

  /// Row `y` of the picture. `channels`: as many rows as there are channels, padded (kernels.h).
  void read(int y, std::uint8_t* const* channels);

 private:
  void read_chroma(int row);

  const kernels::Table* table_ = nullptr;
  kernels::YuvFactors factors_{};
  PictureView picture_;  // its columns only
  int chroma_row_ = -1;  // whose sums chroma_ holds
  std::vector<std::int16_t> chroma_;
  std::vector<std::uint8_t> samples_;  // of interleaved chroma, taken apart
};

}  // namespace gradcam
