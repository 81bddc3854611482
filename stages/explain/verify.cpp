#include "stages/explain/verify.h"

#include <algorithm>
#include <stdexcept>

#include "stages/explain/maps/heat.h"
#include "stages/explain/model/normalisation.h"
#include "stages/explain/tasks/task.h"
#include "stages/frame/stopped.h"

namespace gradcam {
namespace {

constexpr int kSteps = 10;  ///< of deletion and insertion

/// 0..1 and of the blob's size, whatever the style.
HeatMap as_share(const HeatMap& heat, Style style, const Blob& blob) {
  if (style == Style::kGradcam) return heat;
  return to_heat({heat}, Style::kGradcam, blob.height, blob.width);
}

}  // namespace

Faithfulness verify(Explainer& explainer, const Blob& blob, const Explanation& explanation,
                    const Question& question) {
  if (!task_of(explainer.description()).class_scores) {
    throw std::logic_error("a task without scores cannot be verified");
  }
  const int target = explanation.targets.at(0).index;
  const auto score_of = [&](const Blob& picture) {
    throw_if_stopped(question.stop);
    return static_cast<double>(
        explainer.forward_only(picture).at(static_cast<std::size_t>(target)));
  };
  const HeatMap heat = as_share(explanation.heat, explainer.style(), blob);
  const Normalisation normalisation(explainer.description());
  const double score = score_of(blob);
  const double left = score_of(masked(blob, heat, normalisation.offset()));
  Faithfulness faithfulness;
  faithfulness.drop = score > 0 ? std::max(0.0, score - left) / score : 0;
  faithfulness.increase = left > score;

  const std::vector<std::size_t> order = hottest_first(heat);
  const Blob empty = masked(blob, no_heat(blob), normalisation.offset());
  const Blob soft = blurred(blob);
  std::vector<double> deletion;
  std::vector<double> insertion;
  for (int step = 0; step <= kSteps; ++step) {
    const std::size_t count = order.size() * static_cast<std::size_t>(step) / kSteps;
    deletion.push_back(score_of(exchanged(blob, empty, order, count)));
    insertion.push_back(score_of(exchanged(soft, blob, order, count)));
  }
  faithfulness.deletion = area_under(deletion);
  faithfulness.insertion = area_under(insertion);

  Question random = question;
  random.memories.clear();
  random.target = {.index = target, .automatic = false};
  random.randomised = true;
  faithfulness.randomised =
      correlation(heat, as_share(explainer.explain(blob, random).heat, explainer.style(), blob));
  return faithfulness;
}

}  // namespace gradcam
