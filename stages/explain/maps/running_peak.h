#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "stages/frame/explanation.h"

namespace gradcam {

/// `--normalize running`: measures the heat of one stream against the strongest map of the last
/// seconds instead of its own maximum. So a picture in which the network sees nothing does not
/// flare up. The peak rises at once and halves every `kHalfLife` of presentation time.
class RunningPeak {
 public:
  static constexpr std::chrono::seconds kHalfLife{1};

  /// Multiplies the heat, whose largest value is 1, by the strength of its map divided by the peak.
  /// Another method or another layer has another scale: the peak then begins anew. `pts`: of the
  /// explained frame.
  void scale(Explanation& explanation, std::chrono::nanoseconds pts);

 private:
  std::string method_;
  std::vector<std::string> layers_;
  float peak_ = 0;
  std::chrono::nanoseconds pts_{0};
};

}  // namespace gradcam
