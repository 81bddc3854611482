#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/methods/methods.h"
#include "stages/frame/description.h"

/// Which options go with which task and network. Pure; any thread.
namespace gradcam {

/// What `--method auto` means. A box and a value come from places that are not averaged: there the
/// mean of a gradient says little, and each place is to count by itself.
std::string usual_method(Task task);

/// Of classification and multilabel: scores that can be compared and verified.
bool has_classes(Task task);

/// Whether `--smooth` names it.
bool smooths(const ExplainOptions& options, const std::string& how);

/// Why the method does not go with the task or the other options; empty: it does. Second
/// derivatives are of a score that the output holds: that of a box is a product, a likeness a
/// quotient.
std::string misfit(const Method& method, const ExplainOptions& options, Task task);

/// The names of those that do, and are quick enough for each frame.
std::vector<std::string> quick_methods(const ExplainOptions& options, Task task);

/// Throws UserError(kUsage) for options that do not go together. `bundle_alone`: not empty for a
/// bundle without the whole network in it, its path.
void require_fitting(const ExplainOptions& options, const Method& method,
                     const ModelDescription& description, const std::string& bundle_alone);

}  // namespace gradcam
