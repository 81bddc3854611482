#pragma once

#include <string>
#include <vector>

#include "config/user_error.h"

namespace gradcam {

/// One label per line, or a class-index JSON ({"0": ["n01440764", "tench"], …} or a list).
/// Throws UserError(code) that names the file.
std::vector<std::string> read_labels(const std::string& path, ExitCode code = ExitCode::kUsage);

}  // namespace gradcam
