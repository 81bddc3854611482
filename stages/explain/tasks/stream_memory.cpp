#include "stages/explain/stream_memory.h"

namespace gradcam {

void align_sign(HeatMap& map, HeatMap& last) {
  if (last.values.size() == map.values.size()) {
    double product = 0;
    for (std::size_t i = 0; i < map.values.size(); ++i) {
      product += static_cast<double>(map.values[i]) * static_cast<double>(last.values[i]);
    }
    if (product < 0) {
      for (float& value : map.values) value = -value;
    }
  }
  last = map;
}

}  // namespace gradcam
