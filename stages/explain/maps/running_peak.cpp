#include "stages/explain/maps/running_peak.h"

#include <algorithm>
#include <cmath>

namespace gradcam {

void RunningPeak::scale(Explanation& explanation, std::chrono::nanoseconds pts) {
  if (explanation.method != method_ || explanation.layers != layers_) {
    method_ = explanation.method;
    layers_ = explanation.layers;
    peak_ = 0;
  }
  const double halvings = std::chrono::duration<double>(pts - pts_) / kHalfLife;
  peak_ *= static_cast<float>(std::exp2(-std::max(halvings, 0.0)));
  peak_ = std::max(peak_, explanation.strength);
  pts_ = pts;
  if (peak_ <= 0) return;  // nothing but zeros so far: nothing to scale
  const float share = explanation.strength / peak_;
  for (float& value : explanation.heat.values) value *= share;
}

}  // namespace gradcam
