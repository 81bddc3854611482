#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <vector>

/// How the activations of a network lie in memory. Channels-last is the fast way on a CPU and a
/// GPU, and what a network is told to compute is the same in both; but code written for PyTorch's
/// own order may count on it. Internal to stages/explain.
namespace gradcam {

struct ModuleGraph;

/// Whether the code may run channels-last once views_may_copy() was called. False: it asks for
/// strides (as_strided), or writes through one of two names of a tensor and reads it through the
/// other, which a copy would part. `inlined`: forward without calls.
bool runs_channels_last(const std::shared_ptr<torch::jit::Graph>& inlined);

/// Makes every view a reshape: the same values, copied where the memory does not lie as a view
/// wants it, as in x.view(x.size(0), -1) behind a convolution.
void views_may_copy(const std::vector<ModuleGraph>& graphs);

/// Makes forward begin with a copy of the picture in PyTorch's own order.
void begin_contiguous(torch::jit::Graph& forward);

}  // namespace gradcam
