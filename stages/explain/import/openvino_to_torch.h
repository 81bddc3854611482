#pragma once

#include <torch/csrc/jit/api/module.h>

namespace ov {
class Model;
}

namespace gradcam {

/// A network of OpenVINO as a TorchScript module in memory, operation by operation, so that all
/// that the program does with a TorchScript file it does with this one. Each value in it that may
/// be a layer is called through a sub-module of its name that gives back what it is given; tokens
/// [T, 1, C] as [1, T, C].
/// `model`: one input, float [1, C, H, W]; all shapes known. Its weights are shared where LibTorch
/// reads them as they lie there. The module takes any number of pictures where the shapes that the
/// file states allow it. Throws std::runtime_error that names the operation which has no rule.
torch::jit::Module to_torchscript(const ov::Model& model);

}  // namespace gradcam
