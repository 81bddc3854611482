#include <algorithm>

#include "stages/explain/tasks/class_scores.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

using Push = TargetChoice::Push;

int count_values(OutputShape shape, const ModelDescription&) {
  return row_length(shape, "regression", "one value or a row of them");
}

/// What speaks for the value as it is, for more of it, or for less.
OutputReading read(const OutputView& output, const ModelDescription& description,
                   const ReadingOptions& options) {
  const std::vector<float> values = activated(output.values, description.activation);
  OutputReading reading;
  for (int i = 0; i < std::min<int>(kTopShown, static_cast<int>(values.size())); ++i) {
    reading.top.push_back(class_score(i, values, description.labels));
  }
  const TargetChoice& target = options.target;
  const int place = target.index >= 0 ? target.index : target.rank - 1;
  const int index = std::clamp(place, 0, static_cast<int>(values.size()) - 1);
  const ClassScore value = class_score(index, values, description.labels);
  const bool down = target.push == Push::kDown || (target.push == Push::kKeep && value.score < 0);
  reading.targets.push_back({value, Scalar::sum({{index, down ? -1.F : 1.F}}), {}});
  return reading;
}

TargetChoice parse(const TargetText& target) {
  if (target.text == "keep") return {.push = Push::kKeep};
  if (target.text == "up") return {.push = Push::kUp};
  if (target.text == "down") return {.push = Push::kDown};
  return parse_class(target, "auto, keep, up, down");
}

/// What speaks for the value as it is must not turn round where its sign does.
TargetChoice same_push(const TargetChoice& asked, const ClassScore& explained) {
  TargetChoice same = asked;
  if (same.push == Push::kKeep) same.push = explained.score < 0 ? Push::kDown : Push::kUp;
  same.automatic = false;
  return same;
}

}  // namespace

/// One number, or a few: a steering angle. It comes from places that are not averaged: the mean of
/// their gradients says little, and hirescam lets each count by itself.
extern const Task kRegression = {.name = "regression",
                                 .networks = "regressions",
                                 .usual_method = "hirescam",
                                 .values = true,
                                 .classes = &count_values,
                                 .read = &read,
                                 .parse_target = &parse,
                                 .same_target = &same_push};

}  // namespace gradcam
