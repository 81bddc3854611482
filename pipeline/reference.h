#pragma once

#include <optional>

#include "config/options.h"
#include "stages/frame/blob.h"
#include "stages/frame/description.h"

namespace gradcam {

/// The picture of --reference as the network takes it, which embeddings are compared with; none for
/// other networks. Throws UserError(kUsage): it is missing, cannot be read, or goes with no
/// embedding.
std::optional<Blob> read_reference(const Options& options, const ModelDescription& description);

}  // namespace gradcam
