#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/engine_table.h"
#include "stages/frame/box.h"
#include "stages/frame/heat_map.h"

namespace gradcam {

/// One class (label, value) of a network's output.
struct ClassScore {
  int index = 0;
  std::string label;  ///< empty when the model has no labels
  float score = 0;    ///< after the description's activation: a probability for softmax, sigmoid
};

/// Whether a score can be shown in per cent. Logits and likenesses may lie outside 0..1.
constexpr bool is_share(float score) { return score >= 0 && score <= 1; }

/// The best class at each place of a segmentation, row by row. It covers the whole network input.
struct ClassMap {
  /// A place outside of a mask: its network knows one class only.
  static constexpr std::uint16_t kNoClass = 0xFFFF;

  int height = 0;
  int width = 0;
  std::vector<std::uint16_t> classes;
};

/// How faithful a map is to the network, by the scores of pictures that are changed according to it
/// (`--verify`). Scores are those of the first target.
struct Faithfulness {
  double drop = 0;        ///< share of the score lost where only the heat is left, 0..1
  bool increase = false;  ///< the score rises there
  double deletion = 0;    ///< area under the score while the hottest places go: low is good
  double insertion = 0;   ///< while they come back to a blurred picture: high is good
  /// Correlation with the map of the same network behind a randomised last layer: a map that stays
  /// what it was (near 1) says nothing of what the network has learnt.
  double randomised = 0;
};

/// The gradient of what is explained with respect to the network's input, by guided
/// backpropagation: float, planes of height x width in the order blue, green, red.
struct InputGradient {
  std::array<HeatMap, 3> planes;
};

/// Why the network said what it said of one frame.
struct Explanation {
  std::vector<ClassScore> top;          ///< the five best (fewer if there are fewer)
  std::vector<ClassScore> targets;      ///< what `heat` explains; none if the picture holds none
  std::vector<DetectedObject> objects;  ///< a detector's, in pixels of the network's input
  std::optional<ClassMap> classes;      ///< of a segmentation
  std::optional<double> flicker;        ///< mean change of the heat since the last explained frame
  std::optional<Faithfulness> faithfulness;  ///< of some frames
  std::optional<InputGradient> guided;       ///< for the views that show it
  bool is_value = false;                     ///< `top` holds values of a regression, not scores
  std::string method;
  std::vector<std::string> layers;
  std::string engine;                      ///< what ran the network: "torchscript fp32"
  Precision precision = Precision::kFp32;  ///< of that
  /// The largest value of the method maps before any scaling.
  float strength = 0;
  HeatMap heat;                           ///< of several targets: their largest value at each place
  std::int64_t frame_seq = 0;             ///< number of the frame it was computed from
  std::chrono::nanoseconds frame_pts{0};  ///< presentation time of that frame
  double explain_ms = 0;                  ///< engine time that it cost
};

}  // namespace gradcam
