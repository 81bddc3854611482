#include "stages/explain/tasks/class_scores.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

/// Of the best labels all that are there, or else the one that comes nearest.
std::vector<int> labels_there(const std::vector<float>& scores, double threshold) {
  std::vector<int> chosen;
  for (const int index : best_classes(scores, kTopShown)) {
    const bool there = static_cast<double>(scores[static_cast<std::size_t>(index)]) >= threshold;
    if (there || chosen.empty()) chosen.push_back(index);
  }
  return chosen;
}

OutputReading read(const OutputView& output, const ModelDescription& description,
                   const ReadingOptions& options) {
  const std::vector<float> scores = scores_of(output.values, description);
  const std::vector<int> chosen = options.target.automatic
                                      ? labels_there(scores, description.threshold)
                                      : chosen_classes(options.target, scores);
  return explain_classes(chosen, scores, description, options.leads);
}

}  // namespace

/// Each class on its own: several may be there, or none.
extern const Task kMultilabel = {.name = "multilabel",
                                 .networks = "multilabel",
                                 .activation = ScoreActivation::kSigmoid,
                                 .class_scores = true,
                                 .threshold = true,
                                 .classes = &count_scores,
                                 .read = &read};

}  // namespace gradcam
