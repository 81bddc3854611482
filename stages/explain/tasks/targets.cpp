#include "stages/explain/tasks/targets.h"

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

namespace {

/// What `--target` may be besides a class, as messages say it.
std::string words_of(Task task) {
  switch (task) {
    case Task::kRegression:
      return "auto, keep, up, down";
    case Task::kDetection:
      return "auto, box, box:ID, all, top:K";
    case Task::kEmbedding:
      return "auto (the likeness to --reference)";
    default:
      return "auto, top:K";
  }
}

/// The words that only one task has.
std::optional<TargetChoice> word_of(const std::string& text, Task task) {
  using Push = TargetChoice::Push;
  TargetChoice choice;
  if (text == "auto") return choice;
  choice.automatic = false;
  if (task == Task::kRegression && (text == "keep" || text == "up" || text == "down")) {
    choice.push = text == "up" ? Push::kUp : text == "down" ? Push::kDown : Push::kKeep;
    return choice;
  }
  if (task != Task::kDetection) return std::nullopt;
  if (text == "box") return choice;
  if (text == "all") {
    choice.all = true;
    return choice;
  }
  if (text.rfind("box:", 0) != 0) return std::nullopt;
  const auto id = whole_number(text.substr(4));
  if (!id || *id < 1) bad_target(text, "allowed is box:ID, with the number that a box shows");
  choice.box = *id;
  return choice;
}

}  // namespace

TargetChoice parse_target(const std::string& text, Task task,
                          const std::vector<std::string>& labels, int classes) {
  if (const auto word = word_of(text, task)) return *word;
  const std::string words = words_of(task);
  const std::string range = classes > 0 ? "0.." + std::to_string(classes - 1) : "0 and above";
  if (task == Task::kEmbedding) bad_target(text, "allowed: " + words);
  const auto require_class = [&](int index) {
    if (index >= 0 && (classes == 0 || index < classes)) return;
    bad_target(text, "is class " + std::to_string(index) + "; this model has classes " + range);
  };
  TargetChoice choice;
  choice.automatic = false;
  if (text.rfind("top:", 0) == 0 && task != Task::kRegression) {
    const auto k = whole_number(text.substr(4));
    const int most = task == Task::kDetection ? 0 : classes;  // there it counts boxes
    if (!k || *k < 1 || (most > 0 && *k > most)) {
      bad_target(text, most > 0 ? "allowed is top:1 to top:" + std::to_string(most)
                                : "allowed is top:K, K from 1");
    }
    choice.best = *k;
    return choice;
  }
  if (const auto index = whole_number(text)) {
    require_class(*index);
    choice.index = *index;
    return choice;
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (lower(labels[i]) != lower(text)) continue;
    require_class(static_cast<int>(i));
    choice.index = static_cast<int>(i);
    return choice;
  }
  if (labels.empty()) {
    bad_target(text, "the model has no labels (--labels FILE gives them); allowed: " + words +
                         ", " + range);
  }
  std::string near;
  for (const auto& name : near_names(text, labels)) near += (near.empty() ? "" : ", ") + name;
  bad_target(text, "no such label" + (near.empty() ? "" : "; near labels: " + near) +
                       "; allowed: " + words + ", a label, " + range);
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
