#include "stages/explain/targets.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

#include "config/suggest.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

[[noreturn]] void bad_target(const std::string& text, const std::string& allowed) {
  throw UserError(ExitCode::kUsage, "--target " + text + ": " + allowed);
}

std::optional<int> whole_number(const std::string& text) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

TargetChoice parse_target(const std::string& text, const std::vector<std::string>& labels,
                          int classes) {
  const std::string range = "0.." + std::to_string(classes - 1);
  if (text == "auto") return {};
  if (text.rfind("top:", 0) == 0) {
    const auto k = whole_number(text.substr(4));
    if (!k || *k < 1 || *k > classes) {
      bad_target(text, "allowed is top:1 to top:" + std::to_string(classes));
    }
    return {.best = *k};
  }
  if (const auto index = whole_number(text)) {
    if (*index < 0 || *index >= classes) bad_target(text, "this model has classes " + range);
    return {.index = static_cast<int>(*index)};
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (lower(labels[i]) == lower(text)) return {.index = static_cast<int>(i)};
  }
  if (labels.empty()) {
    bad_target(
        text, "the model has no labels (--labels FILE gives them); allowed: auto, top:K, " + range);
  }
  std::string near;
  for (const auto& name : near_names(text, labels)) near += (near.empty() ? "" : ", ") + name;
  bad_target(text, "no such label" + (near.empty() ? "" : "; near labels: " + near) +
                       "; allowed: auto, top:K, a label, " + range);
}

std::vector<int> chosen_classes(const TargetChoice& choice, const std::vector<float>& scores) {
  if (choice.index >= 0) return {choice.index};
  if (choice.rank > 0) return {best_classes(scores, choice.rank).back()};
  return best_classes(scores, choice.best);
}

std::vector<int> best_classes(const std::vector<float>& scores, int k) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::min<std::ptrdiff_t>(k, static_cast<std::ptrdiff_t>(order.size()));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int a, int b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

ClassScore class_score(int index, const std::vector<float>& scores,
                       const std::vector<std::string>& labels) {
  const auto i = static_cast<std::size_t>(index);
  return {index, i < labels.size() ? labels[i] : std::string(), scores.at(i)};
}

}  // namespace gradcam
