#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "stages/frame/blob.h"
#include "stages/picture/kernels/kernels.h"

namespace gradcam {

/// The pixels [begin, end) of one axis of a frame that show heat, and between which two of its
/// values each of them lies: bilinear between centres, as cv::INTER_LINEAR and map_on_frame().
struct HeatAxis {
  int begin = 0;
  int end = 0;
  int pixels = 0;  ///< of the frame
  /// Pixels in a row between the same two values; one more at the end.
  std::vector<kernels::HeatCell> cells;
  std::vector<std::int16_t> toward;  ///< by pixel of the frame, in 1/32768; padded (kernels.h)
  std::vector<int> cell_of;          ///< by pixel of the frame; only of those that show heat

  bool whole() const { return begin == 0 && end == pixels; }
};

struct HeatAxes {
  HeatAxis x;
  HeatAxis y;
};

/// Of heat that covers a blob of `blob` pixels in `heat` values. Throws std::invalid_argument if
/// the mapping is empty.
HeatAxes heat_axes(const Mapping& mapping, cv::Size heat, cv::Size blob);

}  // namespace gradcam
