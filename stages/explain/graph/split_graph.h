#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <optional>

#include "stages/explain/graph/graph_marks.h"

namespace gradcam {

/// A marked graph in two, so that the part without gradients can run in another form.
struct SplitGraph {
  /// picture → tuple (activation, frontier…): what does not depend on the target layer. The
  /// frontier holds the values besides the activation that the head uses, such as a residual
  /// branch.
  std::shared_ptr<torch::jit::Graph> features;
  /// activation, frontier… → what forward returns. Does not write into its first argument.
  std::shared_ptr<torch::jit::Graph> head;
};

/// Splits at the one mark of the graph. `nullopt`: there are several, or control flow or a changing
/// list crosses the cut, so that the order of the halves would matter. The caller must
/// compare both halves with the whole: an operation of the features that writes into a frontier
/// value in place may run too early.
std::optional<SplitGraph> split(const MarkedGraph& marked);

/// Whether a run of this half on a GPU may have to wait for the GPU: an operation reads a number
/// out of a tensor, or the size of its result depends on the values. Sizes known from shapes need
/// no wait. A half has no control flow.
bool waits_for_device(const torch::jit::Block& block);

}  // namespace gradcam
