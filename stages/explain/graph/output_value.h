#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include "stages/frame/description.h"

namespace gradcam {

/// The tensor that `choice` names in `returned`, what a graph returns; several parts are joined by
/// new nodes at the end of the graph. Null if that cannot be told from the graph.
torch::jit::Value* output_value(torch::jit::Graph& graph, torch::jit::Value* returned,
                                const OutputChoice& choice);

}  // namespace gradcam
