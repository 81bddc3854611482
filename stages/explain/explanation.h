#pragma once

#include <chrono>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <vector>

namespace gradcam {

/// float [height, width], row by row. 0..1 in style gradcam (network input size); not negative and
/// not yet scaled in style notebook (size of the activation), which scales after enlarging.
struct HeatMap {
  int height = 0;
  int width = 0;
  std::pmr::vector<float> values;
};

struct ClassScore {
  int index = 0;
  std::string label;  ///< empty when the model has no labels
  float score = 0;    ///< after the description's activation: a probability for softmax, sigmoid
};

/// Why the network said what it said of one frame.
struct Explanation {
  std::vector<ClassScore> top;      ///< the five best classes (fewer if the model has fewer)
  std::vector<ClassScore> targets;  ///< the classes `heat` explains
  std::string method;
  std::vector<std::string> layers;
  /// The largest value of the method maps before any scaling.
  float strength = 0;
  HeatMap heat;                           ///< of several targets: their largest value at each place
  std::int64_t frame_seq = 0;             ///< the frame it was computed from
  std::chrono::nanoseconds frame_pts{0};  ///< presentation time of that frame
  double explain_ms = 0;                  ///< what it took
};

}  // namespace gradcam
