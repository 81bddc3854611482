#pragma once

#include "stages/explain/network.h"
#include "stages/explain/split_engine.h"

namespace gradcam {

/// The TorchScript head of a bundle. Throws what LibTorch throws for a file it cannot read.
SplitEngine::Head bundle_head(const Bundle& bundle);

}  // namespace gradcam
