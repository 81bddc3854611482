#include "stages/explain/engines/bundle_head.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <optional>

namespace gradcam {

Head bundle_head(const Bundle& bundle) {
  auto module = torch::jit::load(bundle.head(), c10::Device("cpu"));
  module.eval();
  for (at::Tensor parameter : module.parameters()) parameter.set_requires_grad(false);
  const auto graph = torch::jit::freeze(module).get_method("forward").graph()->copy();
  graph->eraseInput(0);  // the module itself: its weights have become constants
  return {graph, OutputChoice{}};
}

}  // namespace gradcam
