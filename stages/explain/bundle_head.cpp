#include "stages/explain/bundle_head.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <memory>
#include <vector>

namespace gradcam {

SplitEngine::Head bundle_head(const Bundle& bundle) {
  auto module = torch::jit::load(bundle.head(), c10::Device("cpu"));
  module.eval();
  for (at::Tensor parameter : module.parameters()) parameter.set_requires_grad(false);
  const auto head = std::make_shared<torch::jit::Module>(torch::jit::freeze(module));
  return [head](const std::vector<at::Tensor>& values) {
    return head->forward({values.begin(), values.end()}).toTensor();
  };
}

}  // namespace gradcam
