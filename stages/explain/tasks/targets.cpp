#include "stages/explain/tasks/targets.h"

#include <charconv>

#include "config/suggest.h"
#include "config/text.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

/// Its index; null: there is no such label.
std::optional<int> find_label(const std::string& text, const std::vector<std::string>& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (lower_case(labels[i]) == lower_case(text)) return static_cast<int>(i);
  }
  return std::nullopt;
}

}  // namespace

void refuse_target(const std::string& text, const std::string& allowed) {
  throw UserError(ExitCode::kUsage, "--target " + text + ": " + allowed);
}

std::optional<int> whole_number(const std::string& text) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<TargetChoice> parse_top(const std::string& text, int most) {
  if (text.rfind("top:", 0) != 0) return std::nullopt;
  const auto k = whole_number(text.substr(4));
  if (!k || *k < 1 || (most > 0 && *k > most)) {
    refuse_target(text, most > 0 ? "allowed is top:1 to top:" + std::to_string(most)
                                 : "allowed is top:K, K from 1");
  }
  return TargetChoice{.best = *k};
}

TargetChoice parse_class(const TargetText& target, const std::string& words) {
  const auto& [text, labels, classes] = target;
  const std::string range = classes > 0 ? "0.." + std::to_string(classes - 1) : "0 and above";
  std::optional<int> index = whole_number(text);
  if (!index) index = find_label(text, labels);
  if (index) {
    if (*index >= 0 && (classes == 0 || *index < classes)) return {.index = *index};
    refuse_target(text, "is class " + std::to_string(*index) + "; this model has classes " + range);
  }
  if (labels.empty()) {
    refuse_target(text, "the model has no labels (--labels FILE gives them); allowed: " + words +
                            ", " + range);
  }
  const std::string near = listed(near_names(text, labels));
  refuse_target(text, "no such label" + (near.empty() ? "" : "; near labels: " + near) +
                          "; allowed: " + words + ", a label, " + range);
}

TargetChoice parse_class_target(const TargetText& target) {
  if (const auto top = parse_top(target.text, target.classes)) return *top;
  return parse_class(target, "auto, top:K");
}

TargetChoice same_class(const TargetChoice&, const ClassScore& explained) {
  return {.index = explained.index, .automatic = false};
}

}  // namespace gradcam
