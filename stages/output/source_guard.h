#pragma once

#include <filesystem>
#include <vector>

#include "config/options.h"
#include "stages/frame/source_info.h"

namespace gradcam {

/// --overwrite replaces files, but never one that is being read: no output of any stream may be a
/// file of any source, nor one of `others` (the model's, the options'). Throws UserError(kOutput)
/// that names the output.
void require_apart(const OutputOptions& options, const std::vector<SourceInfo>& sources,
                   const std::vector<std::filesystem::path>& others = {});

}  // namespace gradcam
