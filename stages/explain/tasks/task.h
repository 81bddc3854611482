#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stages/explain/tasks/output_reading.h"
#include "stages/explain/tasks/targets.h"
#include "stages/frame/description.h"

namespace gradcam {

/// A task: what the numbers of a network's output mean, and what of them is explained. Each task
/// has a file of its own in this folder; task.cpp lists them all. Its functions are pure but for
/// the memory of a stream; any thread.
struct Task {
  std::string_view name;      ///< as a description's `task` says it
  std::string_view networks;  ///< what messages call networks of this task: "detectors"
  /// Of the output, unless the description's `output.activation` names another.
  ScoreActivation activation = ScoreActivation::kNone;
  /// ModelDescription::threshold, unless the description says another.
  double usual_threshold = ModelDescription().threshold;
  std::string_view usual_method = "gradcam";  ///< what `--method auto` means

  // What the output holds. Some methods and options go with it alone.
  bool class_scores = false;  ///< one score for each class of the picture: finercam, --verify
  bool values = false;        ///< quantities in place of scores: a steering angle
  bool places = false;        ///< a class for each place: --region
  bool boxes = false;         ///< as the description's `output.format` says: --inside-boxes
  bool threshold = false;     ///< counts only from ModelDescription::threshold on: --conf
  bool likeness = false;      ///< to a reference picture: --reference

  /// How many classes (labels, values) an output of this shape tells apart; 0 = not to be told from
  /// the shape. Throws std::runtime_error if the shape is none of the task.
  int (*classes)(OutputShape shape, const ModelDescription& description) = nullptr;

  /// Optional: completes the description by what the shape of the output tells. Once more for a
  /// description that is complete, it changes nothing.
  void (*complete)(ModelDescription& description, OutputShape shape) = nullptr;
  /// Optional, once when a network is loaded: throws std::runtime_error if an output, whatever the
  /// picture was, is not as the description says.
  void (*check)(const OutputView& output, const ModelDescription& description) = nullptr;

  /// What the output says, and what of it is explained. Its numbers are finite, its shape is one
  /// that `classes` takes.
  OutputReading (*read)(const OutputView& output, const ModelDescription& description,
                        const ReadingOptions& options) = nullptr;

  /// What `--target` may be besides `auto`. Throws UserError(kUsage) that names what is allowed.
  TargetChoice (*parse_target)(const TargetText& target) = &parse_class_target;

  /// The target that means `explained`, which `asked` has led to, in other pictures too.
  TargetChoice (*same_target)(const TargetChoice& asked, const ClassScore& explained) = &same_class;
};

/// All tasks, by name.
std::span<const Task* const> all_tasks();

/// Throws std::out_of_range for a name that no task has.
const Task& find_task(std::string_view name);

const Task& task_of(const ModelDescription& description);

/// What the output says, and what of it is explained. Throws std::runtime_error if it holds a NaN
/// or an infinity, or is not as the description has it.
OutputReading read_output(const OutputView& output, const ModelDescription& description,
                          const ReadingOptions& options);

/// As Task::classes. Throws UserError(kModel) that names `model`.
int classes_of(const ModelDescription& description, OutputShape shape, const std::string& model);

/// `auto`, or what the task takes: mostly `top:K`, or a class as parse_class() has it; of a
/// regression `up`, `down`, `keep`; of a detector also `box` (the best), `box:ID`, `all`.
/// `classes`: 0 = not known. Throws UserError(kUsage): out of range, unknown (with near labels), or
/// not clear.
TargetChoice parse_target(const std::string& text, const Task& task,
                          const std::vector<std::string>& labels, int classes);

}  // namespace gradcam
