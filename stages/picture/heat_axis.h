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
  std::vector<kernels::HeatCell>
      cells;                         ///< pixels in a row between the same two; one more at the end
  std::vector<std::int16_t> toward;  ///< by pixel of the frame, in 1/32768; padded
  std::vector<int> cell_of;          ///< by pixel of the frame, where it shows heat

  bool whole() const { return begin == 0 && end == pixels; }
};

/// Both axes of heat that covers a blob of `blob` pixels in `heat` values.
struct HeatAxes {
  HeatAxis x;
  HeatAxis y;
};
HeatAxes heat_axes(const Mapping& mapping, cv::Size heat, cv::Size blob);

}  // namespace gradcam
