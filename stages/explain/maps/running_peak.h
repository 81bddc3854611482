#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "stages/frame/explanation.h"

namespace gradcam {

/// `--normalize running`: the heat of one stream is measured against the strongest map of the last
/// seconds, not against its own, so that a picture in which the network sees nothing does not flare
/// up. That peak rises at once and halves every `kHalfLife` of presentation time.
class RunningPeak {
 public:
  static constexpr std::chrono::seconds kHalfLife{1};

  /// Scales the heat, whose largest value is 1, by its strength against the peak, at most 1.
  /// Another method and other layers have other scales: with them it begins anew. `pts`: of the
  /// explained frame.
  void scale(Explanation& explanation, std::chrono::nanoseconds pts);

 private:
  std::string method_;
  std::vector<std::string> layers_;
  float peak_ = 0;
  std::chrono::nanoseconds pts_{0};
};

}  // namespace gradcam
