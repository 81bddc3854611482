#pragma once

#include <memory>
#include <string>

#include "stages/explain/engines/engine.h"
#include "stages/explain/engines/engine_kinds.h"
#include "stages/explain/engines/features.h"
#include "stages/explain/graph/split_graph.h"
#include "stages/explain/model/normalisation.h"

namespace gradcam {

/// How the features of a split TorchScript graph are run.
enum class TorchScriptForm {
  kPlain,      ///< fp32
  kOptimized,  ///< fp32; oneDNN runs convolutions and what follows them (no gradient survives)
  kBf16,       ///< weights and activations in bf16; the values at the cut are float again
  kFp16,       ///< the same in fp16, for CUDA
};

/// The halves of the network's TorchScript graph, cut at the layers of the request; made once for
/// all its candidates. Throws as CutGraph does for what cannot be cut at all (where that needs
/// proof), and std::runtime_error for what cannot be split, or not as the method needs it.
const SplitGraph& halves_of(const EngineRequest& request, Proof proof);

/// An engine of these halves.
std::unique_ptr<Engine> split_engine(const EngineRequest& request, const SplitGraph& halves,
                                     std::unique_ptr<Features> features);

/// "torchscript bf16"
std::string name_of(TorchScriptForm form);

/// The features half. It runs on the device of its weights, which must be that of `normalisation`
/// (for kOptimized the CPU). Throws what LibTorch throws, now or when it is first run.
std::unique_ptr<Features> torchscript_features(const SplitGraph& halves, TorchScriptForm form,
                                               const Normalisation& normalisation);

}  // namespace gradcam
