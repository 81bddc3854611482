#pragma once

#include <vector>

#include "config/option_table.h"

namespace gradcam {

/// The GRADCAM_ variables of this process.
Environment process_environment();

/// What the variables say; empty ones count as not set. Throws UserError(kUsage) for a GRADCAM_
/// variable that belongs to no option.
Settings read_environment(const Environment& environment, const std::vector<OptionSpec>& table);

}  // namespace gradcam
