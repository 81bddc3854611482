#pragma once

#include <memory_resource>
#include <vector>

namespace gradcam {

/// float [height, width], row by row. 0..1 in style gradcam (network input size); not negative and
/// not yet scaled in style notebook (size of the activation), which scales after enlarging.
struct HeatMap {
  int height = 0;
  int width = 0;
  std::pmr::vector<float> values;
};

}  // namespace gradcam
