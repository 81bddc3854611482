#include <algorithm>

#include "stages/explain/tasks/class_scores.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

constexpr const char* kContrary = "not ";

/// Two classes, where one number tells them apart.
int count_classes(OutputShape shape, const ModelDescription& description) {
  return description.speaks_for ? 2 : count_scores(shape, description);
}

/// One number is a share of one class, by a sigmoid: the softmax of one number is always 1. Of two
/// labels it speaks for the second, as networks are trained (target 0 or 1); else for the first.
void complete_one_number(ModelDescription& description, OutputShape shape) {
  const bool one = std::ranges::all_of(shape, [](std::int64_t size) { return size == 1; });
  if (description.speaks_for || !one) return;
  std::vector<std::string>& labels = description.labels;
  description.speaks_for = labels.size() == 2 ? 1 : 0;
  if (labels.size() == 1) labels.push_back(kContrary + labels[0]);
  if (description.activation == ScoreActivation::kSoftmax) {
    description.activation = ScoreActivation::kSigmoid;
  }
}

/// The class that `auto` explains: the best, or the one of the frame before as long as that does
/// not fall behind by more than the hysteresis.
int held_class(int best, const std::vector<float>& scores, const ReadingOptions& options) {
  if (options.memory == nullptr) return best;
  std::optional<int>& held = options.memory->held;
  const auto score_of = [&](int index) {
    return static_cast<double>(scores[static_cast<std::size_t>(index)]);
  };
  const bool stays = held && static_cast<std::size_t>(*held) < scores.size() &&
                     score_of(best) - score_of(*held) <= options.hysteresis;
  if (!stays) held = best;
  return *held;
}

OutputReading read(const OutputView& output, const ModelDescription& description,
                   const ReadingOptions& options) {
  const std::vector<float> scores = scores_of(output.values, description);
  std::vector<int> chosen = chosen_classes(options.target, scores);
  if (options.target.automatic && options.hysteresis > 0 && !chosen.empty()) {
    chosen = {held_class(chosen[0], scores, options)};
  }
  return explain_classes(chosen, scores, description, options.leads);
}

}  // namespace

/// One class of several: ImageNet's classifiers; or of two, by a single number.
extern const Task kClassification = {.name = "classification",
                                     .networks = "classification",
                                     .activation = ScoreActivation::kSoftmax,
                                     .class_scores = true,
                                     .classes = &count_classes,
                                     .complete = &complete_one_number,
                                     .read = &read};

}  // namespace gradcam
