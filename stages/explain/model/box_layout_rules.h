#pragma once

#include <optional>
#include <set>
#include <string>

#include "stages/frame/description.h"

namespace gradcam {

/// A key of a description and what is allowed for it.
struct KeyFault {
  std::string key;
  std::string allowed;
};

/// Completes a detector's layout by what its keys mean together. `said`: the keys that `output`
/// holds; `activation`: what it says, or that of the task. The first key that does not go with the
/// others; null = all do. Pure.
std::optional<KeyFault> complete_layout(const std::set<std::string>& said,
                                        ScoreActivation activation, BoxLayout& layout);

}  // namespace gradcam
