#include "stages/explain/tasks/task.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "config/text.h"
#include "config/user_error.h"

namespace gradcam {

// Each in the file of its name.
extern const Task kClassification;
extern const Task kDetection;
extern const Task kEmbedding;
extern const Task kMultilabel;
extern const Task kRegression;
extern const Task kSegmentation;

namespace {

constexpr std::array kTasks = {&kClassification, &kDetection,  &kEmbedding,
                               &kMultilabel,     &kRegression, &kSegmentation};

}  // namespace

std::span<const Task* const> all_tasks() { return kTasks; }

const Task& find_task(std::string_view name) {
  const auto* const found =
      std::ranges::find_if(kTasks, [&](const Task* task) { return task->name == name; });
  if (found == kTasks.end()) throw std::out_of_range("no task " + std::string(name));
  return **found;
}

const Task& task_of(const ModelDescription& description) {
  return description.task != nullptr ? *description.task : kClassification;
}

OutputReading read_output(const OutputView& output, const ModelDescription& description,
                          const ReadingOptions& options) {
  // The sum is finite only if all are: one number to look at.
  if (!std::isfinite(std::accumulate(output.values.begin(), output.values.end(), 0.0))) {
    throw std::runtime_error("the scores hold a NaN or an infinity");
  }
  return task_of(description).read(output, description, options);
}

int classes_of(const ModelDescription& description, OutputShape shape, const std::string& model) {
  try {
    return task_of(description).classes(shape, description);
  } catch (const std::runtime_error& error) {
    const auto& all = description.outputs;
    throw UserError(ExitCode::kModel, "model '" + model + "': " + error.what() +
                                          (all.empty() ? "" : ": its outputs are " + listed(all)));
  }
}

TargetChoice parse_target(const std::string& text, const Task& task,
                          const std::vector<std::string>& labels, int classes) {
  if (text == "auto") return {};
  TargetChoice choice = task.parse_target({text, labels, classes});
  choice.automatic = false;
  return choice;
}

}  // namespace gradcam
