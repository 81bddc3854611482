#include "stages/explain/tasks/class_scores.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

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
  const std::vector<float> scores = activated(output.values, description.activation);
  std::vector<int> chosen = chosen_classes(options.target, scores);
  if (options.target.automatic && options.hysteresis > 0 && !chosen.empty()) {
    chosen = {held_class(chosen[0], scores, options)};
  }
  return explain_classes(chosen, scores, description.labels, options.leads);
}

}  // namespace

/// One class of several: ImageNet's classifiers.
extern const Task kClassification = {.name = "classification",
                                     .networks = "classification",
                                     .activation = ScoreActivation::kSoftmax,
                                     .class_scores = true,
                                     .classes = &count_scores,
                                     .read = &read};

}  // namespace gradcam
