#pragma once

#include <filesystem>
#include <vector>

#include "config/options.h"
#include "stages/frame/source_info.h"

namespace gradcam {

/// Refuses outputs, of any stream, that would replace a file of any source or one of `others` (the
/// model's, the options'): --overwrite must not replace what is being read. Throws
/// UserError(kOutput) that names the output.
void require_apart(const OutputOptions& options, const std::vector<SourceInfo>& sources,
                   const std::vector<std::filesystem::path>& others = {});

}  // namespace gradcam
