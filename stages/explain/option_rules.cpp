#include "stages/explain/option_rules.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "config/method_table.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

using TaskTrait = bool (*)(const Task&);

bool has_class_scores(const Task& task) { return task.class_scores; }
bool has_places(const Task& task) { return task.places; }
bool has_boxes(const Task& task) { return task.boxes; }
bool has_threshold(const Task& task) { return task.threshold; }

/// Classes that exclude each other: `auto` explains one.
bool has_one_class(const Task& task) { return task.class_scores && !task.threshold; }

/// Second derivatives are of a score that the output holds: that of a box is a product, a likeness
/// a quotient.
bool lacks_own_scores(const Task& task) { return task.boxes || task.likeness; }

bool has_many_answers(const Task& task) { return task.boxes || task.places; }

/// An option for some tasks alone.
struct TaskOption {
  std::string_view flag;
  bool (*given)(const ExplainOptions&);
  TaskTrait goes_with;
};

constexpr std::array<TaskOption, 5> kTaskOptions = {{
    {"--verify", [](const ExplainOptions& o) { return o.verify > 0; }, &has_class_scores},
    {"--hysteresis", [](const ExplainOptions& o) { return o.hysteresis > 0; }, &has_one_class},
    {"--inside-boxes", [](const ExplainOptions& o) { return o.inside; }, &has_boxes},
    {"--conf", [](const ExplainOptions& o) { return o.confidence > 0; }, &has_threshold},
    {"--region", [](const ExplainOptions& o) { return o.region != ExplainOptions().region; },
     &has_places},
}};

/// "detectors and multilabel".
std::string networks_of(TaskTrait trait) {
  std::string all;
  for (const Task* task : all_tasks()) {
    if (trait(*task)) all += (all.empty() ? "" : " and ") + std::string(task->networks);
  }
  return all;
}

[[noreturn]] void refuse(std::string_view option, const std::string& why) {
  throw UserError(ExitCode::kUsage, std::string(option) + ": " + why);
}

/// Why the method does not go with the task or the other options; empty: it does.
std::string refusal_of(const Method& method, const ExplainOptions& options, const Task& task) {
  const std::string name(method.name);
  const std::string others = "; gradcam-live methods lists others";
  if (method.needs.rivals && !has_class_scores(task)) {
    return "--method " + name + ": is for " + networks_of(&has_class_scores) + others;
  }
  if (method.needs.box && !has_boxes(task)) {
    return "--method " + name + ": is for " + networks_of(&has_boxes) + others;
  }
  if (method.needs.curvature && lacks_own_scores(task)) {
    return "--method " + name + ": is not for " + networks_of(&lacks_own_scores) + others;
  }
  if (smooths(options, "eigen") && method.weights == nullptr) {
    return "--smooth eigen: is for methods that weight channels, which " + name + " does not";
  }
  return "";
}

void require_whole_network(const ExplainOptions& options, const Method& method,
                           const std::string& bundle_alone) {
  if (bundle_alone.empty()) return;
  const std::string lacks =
      "needs the whole network, and bundle '" + bundle_alone + "' holds no sound model.pt";
  if (method.needs.network) refuse("--method " + std::string(method.name), lacks);
  if (options.guided) refuse("--view guided-…", lacks);
}

}  // namespace

bool smooths(const ExplainOptions& options, const std::string& how) {
  return std::count(options.smooth.begin(), options.smooth.end(), how) > 0;
}

std::vector<std::string> quick_methods(const ExplainOptions& options, const Task& task) {
  std::vector<std::string> names;
  for (const std::string& name : method_names()) {
    const bool quick = cost_of(name) == MethodCost::kFrame;
    if (quick && refusal_of(find_method(name), options, task).empty()) names.push_back(name);
  }
  return names;
}

void require_fitting(const ExplainOptions& options, const Method& method,
                     const ModelDescription& description, const std::string& bundle_alone) {
  const Task& task = task_of(description);
  require_whole_network(options, method, bundle_alone);
  if (const std::string why = refusal_of(method, options, task); !why.empty()) {
    throw UserError(ExitCode::kUsage, why);
  }
  if (smooths(options, "aug") && has_many_answers(task)) {
    refuse("--smooth aug", "is for tasks with one answer for a picture; give eigen or temporal");
  }
  for (const TaskOption& option : kTaskOptions) {
    if (option.given(options) && !option.goes_with(task)) {
      refuse(option.flag, "is for " + networks_of(option.goes_with));
    }
  }
  // The network's output lies over what it saw.
  const bool sees_all =
      description.resize == ResizeMode::kStretch && description.crop == ModelDescription().crop;
  if (options.region != ExplainOptions().region && !sees_all) {
    refuse("--region",
           "is for networks that see the whole picture, stretched; this one's "
           "description says resize or crop");
  }
}

}  // namespace gradcam
