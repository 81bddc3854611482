#include "stages/explain/option_rules.h"

#include <algorithm>

#include "config/method_table.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& why) {
  throw UserError(ExitCode::kUsage, option + ": " + why);
}

}  // namespace

std::string usual_method(Task task) {
  return task == Task::kDetection || task == Task::kRegression ? "hirescam" : "gradcam";
}

bool has_classes(Task task) { return task == Task::kClassification || task == Task::kMultilabel; }

bool smooths(const ExplainOptions& options, const std::string& how) {
  return std::count(options.smooth.begin(), options.smooth.end(), how) > 0;
}

std::string misfit(const Method& method, const ExplainOptions& options, Task task) {
  const std::string name(method.name);
  const std::string others = "; gradcam-live methods lists others";
  if (method.needs.rivals && !has_classes(task)) {
    return "--method " + name + ": is for classification and multilabel" + others;
  }
  if (method.needs.curvature && (task == Task::kDetection || task == Task::kEmbedding)) {
    return "--method " + name + ": is not for detectors and embeddings" + others;
  }
  if (smooths(options, "eigen") && method.weights == nullptr) {
    return "--smooth eigen: is for methods that weight channels, which " + name + " does not";
  }
  return "";
}

std::vector<std::string> quick_methods(const ExplainOptions& options, Task task) {
  std::vector<std::string> names;
  for (const std::string& name : method_names()) {
    const bool quick = cost_of(name) == MethodCost::kFrame;
    if (quick && misfit(find_method(name), options, task).empty()) names.push_back(name);
  }
  return names;
}

void require_fitting(const ExplainOptions& options, const Method& method,
                     const ModelDescription& description, const std::string& bundle_alone) {
  const Task task = description.task;
  const std::string name(method.name);
  const std::string lacks =
      "needs the whole network, and bundle '" + bundle_alone + "' holds no sound model.pt";
  if (method.needs.network && !bundle_alone.empty()) refuse("--method " + name, lacks);
  if (options.guided && !bundle_alone.empty()) refuse("--view guided-…", lacks);
  if (const std::string why = misfit(method, options, task); !why.empty()) {
    throw UserError(ExitCode::kUsage, why);
  }
  if (smooths(options, "aug") && (task == Task::kDetection || task == Task::kSegmentation)) {
    refuse("--smooth aug", "is for tasks with one answer for a picture; give eigen or temporal");
  }
  if (options.verify > 0 && !has_classes(task)) {
    refuse("--verify", "is for classification and multilabel");
  }
  if (options.hysteresis > 0 && task != Task::kClassification) {
    refuse("--hysteresis", "is for classification");
  }
  if (options.inside && task != Task::kDetection) refuse("--inside-boxes", "is for detectors");
  if (options.confidence > 0 && task != Task::kDetection && task != Task::kMultilabel) {
    refuse("--conf", "is for detectors and multilabel");
  }
  if (options.region == ExplainOptions().region) return;
  if (task != Task::kSegmentation) refuse("--region", "is for segmentations");
  // The network's output lies over what it saw.
  if (description.resize != ResizeMode::kStretch || description.crop != ModelDescription().crop) {
    refuse("--region",
           "is for networks that see the whole picture, stretched; this one's "
           "description says resize or crop");
  }
}

}  // namespace gradcam
