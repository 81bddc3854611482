#pragma once

#include <memory_resource>
#include <vector>

namespace gradcam {

/// How much each place counts: float [height, width], row by row. What sizes and values are depends
/// on the style: gradcam, size of the network input, 0..1; notebook, size of the activation, from 0
/// on, scaled after enlarging; captum and raw, the method's own size and values, also negative.
struct HeatMap {
  int height = 0;
  int width = 0;
  std::pmr::vector<float> values;
};

}  // namespace gradcam
