#include "stages/explain/maps/over_time.h"

#include <cmath>

namespace gradcam {

void OverTime::apply(Explanation& explanation, std::chrono::nanoseconds pts) {
  HeatMap& heat = explanation.heat;
  const std::size_t places = heat.values.size();
  const bool goes_on = last_.height == heat.height && last_.width == heat.width && places > 0 &&
                       method_ == explanation.method && layers_ == explanation.layers && pts > pts_;
  if (goes_on) {
    double sum = 0;
    for (std::size_t i = 0; i < places; ++i) {
      sum += std::abs(static_cast<double>(heat.values[i]) - static_cast<double>(last_.values[i]));
    }
    explanation.flicker = sum / static_cast<double>(places);
  }
  last_ = heat;
  method_ = explanation.method;
  layers_ = explanation.layers;
  const double elapsed = std::chrono::duration<double>(pts - pts_).count();
  pts_ = pts;
  if (!smooth_) return;
  if (goes_on) {
    const double constant = std::chrono::duration<double>(kTimeConstant).count();
    const auto kept = static_cast<float>(std::exp(-elapsed / constant));
    for (std::size_t i = 0; i < places; ++i) {
      heat.values[i] += kept * (smooth_heat_.values[i] - heat.values[i]);
    }
  }
  smooth_heat_ = heat;
}

}  // namespace gradcam
