#pragma once

#include <chrono>
#include <optional>

#include "stages/frame/explanation.h"

namespace gradcam {

/// Heat of one stream over time: how much it flickers, and `--smooth temporal`. One per stream, in
/// the order of its explained frames.
class OverTime {
 public:
  /// Time constant of the exponential mean: after this long, smoothed heat has followed a step by
  /// 63 %.
  static constexpr std::chrono::milliseconds kTimeConstant{200};

  explicit OverTime(bool smooth) : smooth_(smooth) {}

  /// Sets `Explanation::flicker` to the mean difference from the last heat, 0..1; the first heat
  /// has none. Then, if smoothing is on, replaces the heat by its exponential mean over
  /// presentation time. Another method, layer or size begins anew, and so does a time that runs
  /// backwards.
  void apply(Explanation& explanation, std::chrono::nanoseconds pts);

 private:
  bool smooth_;
  HeatMap last_;  ///< as the network gave it
  HeatMap smooth_heat_;
  std::string method_;
  std::vector<std::string> layers_;
  std::chrono::nanoseconds pts_{0};
};

}  // namespace gradcam
