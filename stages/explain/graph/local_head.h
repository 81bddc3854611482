#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "stages/explain/graph/cut_result.h"
#include "stages/explain/graph/split_graph.h"
#include "stages/frame/description.h"

namespace gradcam {

class LocalNetwork;

/// Gradients of single numbers of a head's output, such as the score of one box of a detector.
///
/// Of a head with three levels and 8400 boxes the score of one box needs one level, and of that a
/// window of a few places: what a 3x3 convolution behind another sees. So each operation is asked,
/// from the output to the activations, which part of its operands a part of its result needs
/// (local_operation.h); those parts alone are cut out, computed and differentiated. Padding counts
/// where a window reaches beyond the edge of the map, and there only, so that the numbers are those
/// of the whole head, but for rounding. Scalars whose parts are equally large go through together,
/// as a batch: ten boxes cost little more than one. An operation that no rule is for takes its
/// operands whole.
///
/// It knows no more of a head than its operations; whether it is of use, it finds out itself.
class LocalHead {
 public:
  /// `halves` and `output`: as for Head. `inputs`: the head's, of one picture, on the CPU. Null
  /// where it is of no use: it would compute more than half of the head all the same, does not have
  /// the gradients of the whole head (`proven`: that is known), or cannot do with some operation.
  static std::shared_ptr<const LocalHead> of(const SplitGraph& halves, const OutputChoice& output,
                                             const std::vector<at::Tensor>& inputs,
                                             bool proven = false);
  ~LocalHead();

  /// For each scalar the gradients [1, …] with respect to the activations among the inputs, then to
  /// those in the head; undefined: zero everywhere. `inputs`: the head's, [N, …], not recorded by
  /// autograd. One thread at a time.
  std::vector<std::vector<at::Tensor>> gradients(const std::vector<at::Tensor>& inputs,
                                                 const std::vector<PictureSeed>& scalars) const;

 private:
  explicit LocalHead(std::unique_ptr<const LocalNetwork> network);

  std::unique_ptr<const LocalNetwork> network_;
};

}  // namespace gradcam
