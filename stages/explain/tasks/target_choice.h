#pragma once

#include <cstdint>

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

}  // namespace gradcam
