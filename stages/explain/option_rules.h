#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/tasks/task.h"
#include "stages/frame/description.h"

/// Which options go with which task and network. Pure; any thread.
namespace gradcam {

/// Whether `--smooth` names it.
bool smooths(const ExplainOptions& options, const std::string& how);

/// The names of the methods that go with the task and the other options, and are quick enough for
/// each frame.
std::vector<std::string> quick_methods(const ExplainOptions& options, const Task& task);

/// Throws UserError(kUsage) for options that do not go together. `bundle_alone`: the path of a
/// bundle without the whole network in it; else empty.
void require_fitting(const ExplainOptions& options, const Method& method,
                     const ModelDescription& description, const std::string& bundle_alone);

}  // namespace gradcam
