#include "stages/explain/model/plain_runs.h"

#include <torch/csrc/jit/runtime/graph_executor.h>

namespace gradcam {

PlainRuns::PlainRuns() : before_(torch::jit::getGraphExecutorOptimize()) {
  torch::jit::setGraphExecutorOptimize(false);
}

PlainRuns::~PlainRuns() { torch::jit::setGraphExecutorOptimize(before_); }

}  // namespace gradcam
