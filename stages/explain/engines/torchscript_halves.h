#pragma once

#include <memory>
#include <string>

#include "stages/explain/engines/features.h"
#include "stages/explain/graph/split_graph.h"
#include "stages/explain/model/normalisation.h"

namespace gradcam {

/// How the features of a split TorchScript graph are run.
enum class TorchScriptForm {
  kPlain,      ///< fp32
  kOptimized,  ///< fp32, convolutions and what follows them handed to oneDNN (no gradient survives)
  kBf16,       ///< weights and activations in bf16; the values at the cut become float again
  kFp16,       ///< the same in fp16, for CUDA
};

/// "torchscript bf16"
std::string name_of(TorchScriptForm form);

/// The features half, on the device of its weights, which is that of `normalisation` (kOptimized:
/// the CPU). May throw what LibTorch throws, then or when first run.
std::unique_ptr<Features> torchscript_features(const SplitGraph& halves, TorchScriptForm form,
                                               const Normalisation& normalisation);

}  // namespace gradcam
