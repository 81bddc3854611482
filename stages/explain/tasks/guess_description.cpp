#include "stages/explain/tasks/guess_description.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "config/text.h"
#include "stages/explain/tasks/guess_boxes.h"
#include "stages/explain/tasks/task.h"
#include "stages/frame/shape_text.h"

namespace gradcam {
namespace {

using Outputs = std::vector<NetworkOutput>;

bool is_row(const NetworkOutput& output) {
  return output.shape.size() <= 2 ||
         std::count(output.shape.begin(), output.shape.end(), 1) + 1 >= std::ssize(output.shape);
}

/// Whether maps of this shape are of the picture's proportions, at most eight times smaller.
bool covers_picture(const std::vector<std::int64_t>& shape, const ModelDescription& d) {
  for (const int step : {1, 2, 4, 8}) {
    if (shape[2] * step == d.input_height && shape[3] * step == d.input_width) return true;
  }
  return false;
}

/// A class for each place. Three maps of the picture's own size may be a picture.
bool is_segmentation(const NetworkOutput& output, const ModelDescription& d) {
  constexpr std::int64_t kMostClasses = 200;
  const auto& shape = output.shape;
  if (shape.size() != 4 || shape[0] != 1 || !output.is_float) return false;
  const bool picture = shape[1] == 3 && shape[2] == d.input_height && d.labels.size() != 3;
  return shape[1] > 1 && shape[1] <= kMostClasses && !picture && covers_picture(shape, d);
}

std::string guess_segmentation(const Outputs& outputs, ModelDescription& d) {
  for (const NetworkOutput& output : outputs) {
    const bool named = output.name == "out" || output.name == "logits";
    if (!is_segmentation(output, d) || (outputs.size() > 1 && !named)) continue;
    d.task = &find_task("segmentation");
    d.activation = d.task->activation;
    d.threshold = d.task->usual_threshold;
    if (outputs.size() > 1) d.output = output.choice;
    return listed_outputs({output}) + " is taken for the class scores of each place (segmentation)";
  }
  return "";
}

/// Among the outputs of a transformer.
std::string guess_classes(const Outputs& outputs, ModelDescription& d) {
  for (const NetworkOutput& output : outputs) {
    if (outputs.size() < 2 || output.name != "logits" || !is_row(output)) continue;
    d.output = output.choice;
    return listed_outputs({output}) + " is taken for class scores (classification)";
  }
  return "";
}

}  // namespace

std::string guess_description(const Outputs& outputs, ModelDescription& description) {
  if (outputs.empty()) return "";
  // One row of numbers in front is a classifier's, which is what is assumed of it anyhow; of 1xNx1
  // with others behind it may be the scores of a detector's only class.
  const bool may_be_scores = outputs.size() > 1 && outputs[0].shape.size() == 3;
  if (is_row(outputs[0]) && outputs[0].choice.name.empty() && !may_be_scores) return "";
  for (const auto guess :
       {guess_boxes_and_scores, guess_one_tensor, guess_segmentation, guess_classes}) {
    ModelDescription guessed = description;
    if (std::string found = guess(outputs, guessed); !found.empty()) {
      description = std::move(guessed);
      return found;
    }
  }
  return "";
}

std::vector<std::string> output_texts(const Outputs& outputs) {
  std::vector<std::string> texts;
  for (const NetworkOutput& output : outputs) {
    const int place = output.choice.index.value_or(0);
    std::string text =
        output.name.empty() ? "output " + std::to_string(place) : "'" + output.name + "'";
    texts.push_back(text.append(" (").append(shape_text(output.shape)).append(")"));
  }
  return texts;
}

std::string listed_outputs(const Outputs& outputs) { return listed(output_texts(outputs)); }

}  // namespace gradcam
