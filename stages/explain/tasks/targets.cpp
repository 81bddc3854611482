#include "stages/explain/tasks/targets.h"

#include <charconv>
#include <string_view>

#include "config/suggest.h"
#include "config/text.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

constexpr std::string_view kIndex = "index:";
constexpr std::string_view kLabel = "label:";

/// What follows `prefix`; null: the text does not begin with it.
std::optional<std::string> behind(std::string_view prefix, const std::string& text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

/// The classes with this label: those that have it letter by letter, if there are some.
std::vector<int> labelled(const std::string& text, const std::vector<std::string>& labels) {
  std::vector<int> exact;
  std::vector<int> alike;
  for (int i = 0; i < std::ssize(labels); ++i) {
    const std::string& label = labels[static_cast<std::size_t>(i)];
    if (label == text) exact.push_back(i);
    if (lower_case(label) == lower_case(text)) alike.push_back(i);
  }
  return exact.empty() ? alike : exact;
}

bool is_class(int index, int classes) { return index >= 0 && (classes == 0 || index < classes); }

std::string range_of(int classes) {
  return classes > 0 ? "0.." + std::to_string(classes - 1) : "0 and above";
}

TargetChoice class_by_index(const TargetText& target, int index) {
  if (is_class(index, target.classes)) return {.index = index};
  refuse_target(target.text, "is class " + std::to_string(index) + "; this model has classes " +
                                 range_of(target.classes));
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
  if (const auto number = behind(kIndex, text)) {
    if (const auto index = whole_number(*number)) return class_by_index(target, *index);
    refuse_target(text, "allowed is index:N, N of " + range_of(classes));
  }
  const auto label = behind(kLabel, text);
  const std::vector<int> found = labelled(label.value_or(text), labels);
  const auto index = label ? std::nullopt : whole_number(text);
  if (index && (found.empty() || is_class(*index, classes))) {
    if (found.empty() || found == std::vector<int>{*index}) return class_by_index(target, *index);
    refuse_target(text, "is the label of class " + std::to_string(found[0]) +
                            ", and the index of another; say which: label:" + text +
                            " or index:" + text);
  }
  if (!found.empty()) return class_by_index(target, found[0]);
  if (labels.empty()) {
    refuse_target(text, "the model has no labels (--labels FILE gives them); allowed: " + words +
                            ", " + range_of(classes));
  }
  const std::string near = listed(near_names(label.value_or(text), labels));
  refuse_target(text, "no such label" + (near.empty() ? "" : "; near labels: " + near) +
                          "; allowed: " + words + ", a label, " + range_of(classes));
}

std::string doubt_of(const std::string& text, const std::vector<std::string>& labels) {
  const auto label = behind(kLabel, text);
  if (!label && whole_number(text)) return "";  // an index, or refused
  const std::vector<int> found = labelled(label.value_or(text), labels);
  if (found.size() < 2) return "";
  std::vector<std::string> others;
  for (std::size_t i = 1; i < found.size(); ++i) {
    others.push_back(std::string(kIndex) + std::to_string(found[i]));
  }
  return "--target " + text + ": several classes have this label; class " +
         std::to_string(found[0]) + " is explained, " + listed(others, " and ") +
         (others.size() == 1 ? " is the other" : " are the others");
}

TargetChoice parse_class_target(const TargetText& target) {
  if (const auto top = parse_top(target.text, target.classes)) return *top;
  return parse_class(target, "auto, top:K");
}

TargetChoice same_class(const TargetChoice&, const ClassScore& explained) {
  return {.index = explained.index, .automatic = false};
}

}  // namespace gradcam
