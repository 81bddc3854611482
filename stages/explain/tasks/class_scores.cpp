#include "stages/explain/tasks/class_scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gradcam {
namespace {

/// What class `index` is explained by: its number, or the only one, which speaks for or against it
/// and so is its lead, too.
Scalar scalar_of(int index, const ModelDescription& description, bool leads) {
  if (description.speaks_for) {
    return Scalar::sum({{0, index == *description.speaks_for ? 1.F : -1.F}});
  }
  return leads ? Scalar::lead(index) : Scalar::sum({{index, 1}});
}

}  // namespace

std::vector<float> activated(std::span<const float> output, ScoreActivation activation) {
  std::vector<float> scores(output.begin(), output.end());
  switch (activation) {
    case ScoreActivation::kSoftmax: {
      const float highest = *std::max_element(output.begin(), output.end());
      double sum = 0;
      for (float& score : scores) sum += score = std::exp(score - highest);
      for (float& score : scores) score = static_cast<float>(score / sum);
      break;
    }
    case ScoreActivation::kSigmoid:
      for (float& score : scores) score = 1 / (1 + std::exp(-score));
      break;
    case ScoreActivation::kNone:
      break;
  }
  return scores;
}

std::vector<float> scores_of(std::span<const float> output, const ModelDescription& description) {
  std::vector<float> scores = activated(output, description.activation);
  if (!description.speaks_for) return scores;
  const float share = scores.at(0);
  scores.assign(2, 1 - share);
  scores.at(static_cast<std::size_t>(*description.speaks_for)) = share;
  return scores;
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

std::vector<int> chosen_classes(const TargetChoice& choice, const std::vector<float>& scores) {
  if (choice.index >= 0) return {choice.index};
  if (choice.rank > 0) return {best_classes(scores, choice.rank).back()};
  return best_classes(scores, choice.best);
}

ClassScore class_score(int index, const std::vector<float>& scores,
                       const std::vector<std::string>& labels) {
  return {index, label_of(index, labels), scores.at(static_cast<std::size_t>(index))};
}

std::string label_of(int index, const std::vector<std::string>& labels) {
  const auto i = static_cast<std::size_t>(index);
  return i < labels.size() ? labels[i] : std::string();
}

int count_scores(OutputShape shape, const ModelDescription&) {
  return row_length(shape, "classification", "one row of scores");
}

OutputReading explain_classes(const std::vector<int>& chosen, const std::vector<float>& scores,
                              const ModelDescription& description, bool leads) {
  const std::vector<std::string>& labels = description.labels;
  OutputReading reading;
  for (const int index : best_classes(scores, kTopShown)) {
    reading.top.push_back(class_score(index, scores, labels));
  }
  for (const int index : chosen) {
    reading.targets.push_back(
        {class_score(index, scores, labels), scalar_of(index, description, leads), {}});
  }
  return reading;
}

}  // namespace gradcam
