#pragma once

#include <chrono>
#include <optional>

#include "stages/frame/explanation.h"

namespace gradcam {

/// Heat of one stream over time: how much it flickers, and `--smooth temporal`. One per stream, in
/// the order of its explained frames.
class OverTime {
 public:
  /// A step in what is seen has come through by 63 % after this long: the delay of smoothed heat.
  static constexpr std::chrono::milliseconds kTimeConstant{200};

  explicit OverTime(bool smooth) : smooth_(smooth) {}

  /// Sets `flicker`: the mean difference from the last heat, 0..1; none for the first. Then, if
  /// smoothing, replaces the heat by its exponential mean over presentation time. Another method,
  /// layer or size begins anew, and so does a time that runs backwards.
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
