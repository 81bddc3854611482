#pragma once

#include "stages/explain/methods/methods.h"

namespace gradcam {

/// FullGrad (Srinivas and Fleuret, NeurIPS 2019), a map of the input's size: |input * gradient| and
/// |bias * gradient| of each layer, every channel min-max'd (1e-7), enlarged (bilinear) and added,
/// as in pytorch-grad-cam. [H, W].
at::Tensor fullgrad(const MethodInput& input);

}  // namespace gradcam
