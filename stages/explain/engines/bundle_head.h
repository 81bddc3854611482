#pragma once

#include "stages/explain/graph/head.h"
#include "stages/explain/model/network.h"

namespace gradcam {

/// The TorchScript head of a bundle. Throws what LibTorch throws for a file it cannot read.
Head bundle_head(const Bundle& bundle);

}  // namespace gradcam
