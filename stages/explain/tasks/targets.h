#pragma once

#include <string>
#include <vector>

#include "stages/frame/description.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// What is to be explained: `--target`.
struct TargetChoice {
  int best = 1;    ///< the k best classes (labels, boxes) of each frame, if nothing else is set
  int rank = 0;    ///< the one class in this place, 1 = best; 0 = not this
  int index = -1;  ///< one class, whatever its score; -1 = not this. Of a detector all its boxes
  bool automatic = true;  ///< `auto`: a task may mean more by it than its best class
  enum class Push { kKeep, kUp, kDown };
  Push push = Push::kKeep;  ///< of a regression: what speaks for its value, or for more, or less
  bool all = false;         ///< of a detector: all boxes
  std::int64_t box = 0;     ///< of a detector: the box with this identity; 0 = not this

  bool operator==(const TargetChoice&) const = default;
};

/// `auto`, `top:K`, a class index, or a label (case does not matter); of a regression also `up`,
/// `down`, `keep`; of a detector also `box` (the best), `box:ID`, `all`. `classes`: 0 = not known.
/// Throws UserError(kUsage): out of range, or unknown, with near labels.
TargetChoice parse_target(const std::string& text, Task task,
                          const std::vector<std::string>& labels, int classes);

/// The classes `choice` means for these scores, best first. A rank beyond the last is the last.
std::vector<int> chosen_classes(const TargetChoice& choice, const std::vector<float>& scores);

/// Indices of the `k` largest scores, best first (fewer if there are fewer).
std::vector<int> best_classes(const std::vector<float>& scores, int k);

/// With label where there is one.
ClassScore class_score(int index, const std::vector<float>& scores,
                       const std::vector<std::string>& labels);

}  // namespace gradcam
