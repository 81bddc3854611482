#pragma once

#include <string>
#include <vector>

#include "stages/explain/explanation.h"

namespace gradcam {

/// What is to be explained: `--target`.
struct TargetChoice {
  int best = 1;    ///< the k best classes of each frame, if neither of the others is set
  int rank = 0;    ///< the one class in this place, 1 = best; 0 = not this
  int index = -1;  ///< one class, whatever its score; -1 = not this
};

/// `auto` = `top:1`, `top:K`, a class index, or a label (case does not matter).
/// Throws UserError(kUsage): out of range, or unknown, with near labels.
TargetChoice parse_target(const std::string& text, const std::vector<std::string>& labels,
                          int classes);

/// The classes `choice` means for these scores, best first. A rank beyond the last is the last.
std::vector<int> chosen_classes(const TargetChoice& choice, const std::vector<float>& scores);

/// Indices of the `k` largest scores, best first (fewer if there are fewer).
std::vector<int> best_classes(const std::vector<float>& scores, int k);

/// With label where there is one.
ClassScore class_score(int index, const std::vector<float>& scores,
                       const std::vector<std::string>& labels);

}  // namespace gradcam
