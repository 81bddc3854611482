#pragma once

#include <span>
#include <string>
#include <vector>

#include "stages/explain/tasks/output_reading.h"
#include "stages/frame/description.h"

/// Scores of classes: which are the best, and which a target means. Pure; any thread.
namespace gradcam {

/// All numbers after the description's activation: probabilities, values.
std::vector<float> activated(std::span<const float> output, ScoreActivation activation);

/// Indices of the `k` largest scores, best first (fewer if there are fewer).
std::vector<int> best_classes(const std::vector<float>& scores, int k);

/// The classes `choice` means for these scores, best first. A rank beyond the last is the last.
std::vector<int> chosen_classes(const TargetChoice& choice, const std::vector<float>& scores);

/// With label where there is one.
ClassScore class_score(int index, const std::vector<float>& scores,
                       const std::vector<std::string>& labels);

/// The label of a class; empty if it has none.
std::string label_of(int index, const std::vector<std::string>& labels);

/// C of an output that is one row of scores, one for each class.
int count_scores(OutputShape shape, const ModelDescription& description);

/// What such an output says, where the classes `chosen` are explained. `scores`: its numbers after
/// the activation. `leads`: as ReadingOptions::leads.
OutputReading explain_classes(const std::vector<int>& chosen, const std::vector<float>& scores,
                              const std::vector<std::string>& labels, bool leads);

}  // namespace gradcam
