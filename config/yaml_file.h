#pragma once

#include <string>
#include <vector>

#include "config/option_table.h"

namespace gradcam {

/// What an options file says: a YAML map from option names to values. Nothing is applied yet.
/// Throws UserError(kUsage) with file and line: unreadable, not YAML, unknown or repeated key.
Settings read_yaml_file(const Given& file, const std::vector<OptionSpec>& table);

}  // namespace gradcam
