#include "stages/explain/split_engine.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <utility>

namespace gradcam {
namespace {

/// LibTorch's threads sleep while others compute; what they would gain below this, waking them
/// costs again: the explained frame of EfficientNet-Lite0 took 3.7 ms with them and 2.7 without.
constexpr double kSmallHeadMs = 1;

}  // namespace

SplitEngine::SplitEngine(std::unique_ptr<Features> features, Head head, const at::Tensor& probe)
    : features_(std::move(features)), head_(std::move(head)) {
  const Result result = run(probe);
  const at::Tensor& activation = result.activations[0];
  if (result.output.dim() != 2 || result.output.size(0) != 1 ||
      !head_.depends_on_activation({result.output, result.end}) || activation.dim() != 4 ||
      activation.size(0) != 1) {
    throw std::runtime_error("its head gives no row of scores that depends on the activation");
  }
  outputs_ = static_cast<int>(result.output.size(1));
  small_head_ = !features_->wakes_torch_threads() && head_ms(probe) < kSmallHeadMs;
}

/// Of the head on one thread, forward and backward; the features are not counted.
double SplitEngine::head_ms(const at::Tensor& probe) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const FeatureValues values = features_->run(probe);
  values.head[0].requires_grad_();
  const at::AutoGradMode with_grad(true);
  double shortest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 4; ++i) {  // the first runs of a TorchScript graph compile it
    const auto begin = std::chrono::steady_clock::now();
    head_.gradient(head_.run(values.head, values.output), values.head[0], {0}, false);
    const auto took = std::chrono::steady_clock::now() - begin;
    shortest = std::min(shortest, std::chrono::duration<double, std::milli>(took).count());
  }
  at::set_num_threads(threads);
  return shortest;
}

Engine::Result SplitEngine::run(const at::Tensor& pixels) {
  const FeatureValues values = features_->run(pixels);
  const at::AutoGradMode with_grad(true);
  const at::Tensor& activation = values.head[0];
  activation.requires_grad_();
  Head::Result head = head_.run(values.head, values.output);
  return {std::move(head.output), {activation}, std::move(head.end)};
}

std::vector<at::Tensor> SplitEngine::gradients(const Result& result,
                                               const std::vector<int>& classes, bool more) {
  return {head_.gradient({result.output, result.end}, result.activations[0], classes, more)};
}

at::Tensor SplitEngine::forward_only(const at::Tensor& pixels) {
  const at::NoGradGuard no_grad;
  const FeatureValues values = features_->run(pixels);
  return values.output.defined() ? values.output : head_.run(values.head).output;
}

}  // namespace gradcam
