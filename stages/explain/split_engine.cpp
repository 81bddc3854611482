#include "stages/explain/split_engine.h"

#include <ATen/core/grad_mode.h>

#include <stdexcept>
#include <utility>

namespace gradcam {

SplitEngine::SplitEngine(std::unique_ptr<Features> features, Head head, const at::Tensor& probe)
    : features_(std::move(features)), head_(std::move(head)) {
  const Result result = run(probe);
  const at::Tensor& activation = result.activations[0];
  if (result.output.dim() != 2 || result.output.size(0) != 1 || !result.end.requires_grad() ||
      activation.dim() != 4 || activation.size(0) != 1) {
    throw std::runtime_error("its head gives no row of scores that depends on the activation");
  }
  outputs_ = static_cast<int>(result.output.size(1));
}

Engine::Result SplitEngine::run(const at::Tensor& pixels) {
  std::vector<at::Tensor> values = features_->run(pixels);
  const at::AutoGradMode with_grad(true);
  values[0].requires_grad_();
  Head::Result head = head_.run(values);
  return {std::move(head.output), {values[0]}, std::move(head.end)};
}

std::vector<at::Tensor> SplitEngine::gradients(const Result& result,
                                               const std::vector<int>& classes, bool more) {
  return {head_.gradient({result.output, result.end}, result.activations[0], classes, more)};
}

at::Tensor SplitEngine::forward_only(const at::Tensor& pixels) {
  const at::NoGradGuard no_grad;
  return head_.run(features_->run(pixels)).output;
}

}  // namespace gradcam
