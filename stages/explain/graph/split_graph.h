#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "stages/explain/graph/graph_marks.h"
#include "stages/frame/description.h"

namespace gradcam {

class LocalHead;

/// A marked graph in two, so that the part without gradients can run in another form.
struct SplitGraph {
  /// Where a target layer's activation is.
  struct Place {
    bool in_head;       ///< it depends on another target layer, as the coarser levels of a neck do
    std::size_t index;  ///< among those in the head; else among the activations of the features
  };

  /// picture → tuple (activations…, frontier…): what does not depend on a target layer. The
  /// frontier holds the values besides the activations that the head uses, such as a residual
  /// branch.
  std::shared_ptr<torch::jit::Graph> features;
  /// activations…, frontier… → what forward returns; where target layers lie in it, a tuple of that
  /// and of their activations. Does not write into the activations.
  std::shared_ptr<torch::jit::Graph> head;
  /// picture → tuple (activations…, frontier…, those of the target layers in the head…, output):
  /// all that is read of the network. Null where the output cannot be told from the graph.
  std::shared_ptr<torch::jit::Graph> whole;
  std::map<std::string, Place> layers;  ///< by name
  /// Another form of the head, where it is of use; split() makes none.
  std::shared_ptr<const LocalHead> local{};

  std::size_t count(bool in_head) const;
};

/// Splits at the marks of the graph: in front of those that depend on no other. `output`: as in
/// CutGraph. `nullopt`: there is no mark, or control flow or a changing list crosses the cut, so
/// that the order of the halves would matter. The caller must compare both halves with the whole:
/// an operation of the features that writes into a frontier value in place may run too early.
std::optional<SplitGraph> split(const MarkedGraph& marked, const OutputChoice& output = {});

/// Whether a run of this half on a GPU may have to wait for the GPU: an operation reads a number
/// out of a tensor, or the size of its result depends on the values. Sizes known from shapes need
/// no wait. A half has no control flow.
bool waits_for_device(const torch::jit::Block& block);

}  // namespace gradcam
