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

/// The score of each class. Where one number tells two classes apart, it is the share of
/// ModelDescription::speaks_for, and what is left to 1 is that of the other class.
std::vector<float> scores_of(std::span<const float> output, const ModelDescription& description);

/// Indices of the `k` largest scores, best first (fewer if there are fewer).
std::vector<int> best_classes(const std::vector<float>& scores, int k);

/// The classes `choice` means for these scores, best first. A rank beyond the last is the last.
std::vector<int> chosen_classes(const TargetChoice& choice, const std::vector<float>& scores);

/// With label where there is one.
ClassScore class_score(int index, const std::vector<float>& scores,
                       const std::vector<std::string>& labels);

/// The label of a class; empty if it has none.
std::string label_of(int index, const std::vector<std::string>& labels);

/// How many numbers an output has that is one row of scores.
int count_scores(OutputShape shape, const ModelDescription& description);

/// What such an output says, where the classes `chosen` are explained. `scores`: those of
/// scores_of(). `leads`: as ReadingOptions::leads.
OutputReading explain_classes(const std::vector<int>& chosen, const std::vector<float>& scores,
                              const ModelDescription& description, bool leads);

}  // namespace gradcam
