#pragma once

#include "stages/explain/model/model.h"
#include "stages/frame/description.h"

namespace gradcam {

/// What the last operation of a network makes its output.
enum class OutputEnd {
  kUnknown,
  kRaw,         ///< scores without a limit: a linear layer or a convolution
  kSigmoid,     ///< shares, each on its own
  kSoftmax,     ///< shares that sum up to 1
  kLogSoftmax,  ///< their logarithms
};

/// Read from the graph, through operations that only move numbers or average them. `output`: as in
/// CutGraph. Freezes the network, which takes as long as listing its layers.
OutputEnd output_end(const Model& model, const OutputChoice& output);

}  // namespace gradcam
