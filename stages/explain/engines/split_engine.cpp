#include "stages/explain/engines/split_engine.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "stages/explain/engines/timing.h"

namespace gradcam {
namespace {

/// LibTorch's threads sleep while others compute; what they would gain below this, waking them
/// costs again: the explained frame of EfficientNet-Lite0 took 3.7 ms with them and 2.7 without.
constexpr double kSmallHeadMs = 1;

/// The scalar of a box is made of two numbers; what is made of most of the output leaves nothing to
/// be saved.
bool is_local(const Seed& seed) {
  constexpr std::size_t kMostNumbers = 64;
  return seed.size() <= kMostNumbers;
}

}  // namespace

SplitEngine::SplitEngine(std::unique_ptr<Features> features, Head head, const at::Tensor& probe,
                         std::vector<SplitGraph::Place> places,
                         std::shared_ptr<const LocalHead> local)
    : features_(std::move(features)),
      head_(std::move(head)),
      places_(std::move(places)),
      local_(std::move(local)) {
  for (const auto& [in_head, index] : places_) {
    if (!in_head) first_ = std::max(first_, index + 1);
  }
  const FeatureValues values = features_->run(probe);
  const Head::Result result = local_ ? unrecorded(values) : run_head(values);
  const auto is_map = [](const at::Tensor& activation) {
    return activation.dim() >= 3 && activation.size(0) == 1;
  };
  if (result.output.dim() < 2 || result.output.size(0) != 1 ||
      !(local_ || head_.depends_on_activation(result)) ||
      !std::ranges::all_of(activations(values, result), is_map)) {
    throw std::runtime_error("its head gives no output that depends on the activation");
  }
  output_shape_ = result.output.sizes().slice(1).vec();
  small_head_ = !features_->wakes_torch_threads() && (local_ || head_ms(values) < kSmallHeadMs);
  probed_ = Probed{probe, values};
}

FeatureValues SplitEngine::features_of(const at::Tensor& pixels) {
  if (const auto probed = std::exchange(probed_, std::nullopt)) {
    if (pixels.equal(probed->pixels)) return probed->values;
  }
  return features_->run(pixels);
}

/// Recorded by autograd from the activations on.
Head::Result SplitEngine::run_head(const FeatureValues& values) {
  const at::AutoGradMode with_grad(true);
  for (std::size_t i = 0; i < first_; ++i) values.head.at(i).requires_grad_();
  return head_.run(values.head, values.output);
}

/// What the features do not give of the output and of the layers in the head.
Head::Result SplitEngine::unrecorded(const FeatureValues& values) {
  const std::size_t in_head = places_.size() - first_;
  if (values.output.defined() && values.inner.size() == in_head) {
    return {values.output, {}, values.inner};
  }
  const at::NoGradGuard no_grad;
  Head::Result head = head_.run(values.head, values.output);
  head.end = at::Tensor();
  return head;
}

std::vector<at::Tensor> SplitEngine::head_inputs(const Result& result) const {
  std::vector<at::Tensor> inputs(first_);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!places_[i].in_head) inputs[places_[i].index] = result.activations[i];
  }
  inputs.insert(inputs.end(), result.rest.begin(), result.rest.end());
  return inputs;
}

/// The same, differentiated as a whole: for scalars that are not local.
CutResult SplitEngine::recorded(const Result& result) {
  FeatureValues values;
  for (const at::Tensor& input : head_inputs(result)) values.head.push_back(input.detach());
  Head::Result head = run_head(values);
  auto layers = activations(values, head);
  return {std::move(head.output), std::move(layers), std::move(head.end), result.rest};
}

std::vector<at::Tensor> SplitEngine::activations(const FeatureValues& values,
                                                 const Head::Result& head) const {
  std::vector<at::Tensor> all;
  for (const auto& [in_head, index] : places_) {
    all.push_back(in_head ? head.inner.at(index) : values.head.at(index));
  }
  return all;
}

/// Of the head on one thread, forward and backward.
double SplitEngine::head_ms(const FeatureValues& values) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  double shortest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 4; ++i) {  // the first runs of a TorchScript graph compile it
    shortest =
        std::min(shortest, milliseconds_of([&] {
                   const Head::Result result = run_head(values);
                   head_.gradients(result, activations(values, result), {Seed{SeedTerm{}}}, false);
                 }));
  }
  at::set_num_threads(threads);
  return shortest;
}

CutResult SplitEngine::run(const at::Tensor& pixels) {
  const FeatureValues values = features_of(pixels);
  Head::Result head = local_ ? unrecorded(values) : run_head(values);
  auto layers = activations(values, head);
  return {std::move(head.output),
          std::move(layers),
          std::move(head.end),
          {values.head.begin() + static_cast<std::ptrdiff_t>(first_), values.head.end()}};
}

std::vector<at::Tensor> SplitEngine::gradients(const Result& result, const std::vector<Seed>& seeds,
                                               bool more) {
  if (!local_) return head_.gradients({result.output, result.end}, result.activations, seeds, more);
  if (!std::ranges::all_of(seeds, &is_local)) {
    const Result again = recorded(result);
    return head_.gradients({again.output, again.end}, again.activations, seeds, false);
  }
  std::vector<PictureSeed> scalars;
  for (std::size_t n = 0; n < seeds.size(); ++n) scalars.push_back({n, seeds[n]});
  const auto each = gradients_of(result, scalars);
  std::vector<at::Tensor> layers;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    at::Tensor& layer = layers.emplace_back(at::zeros_like(result.activations[i]));
    for (std::size_t n = 0; n < each.size(); ++n) {
      if (!each[n][i].defined()) continue;
      layer.narrow(0, static_cast<std::int64_t>(n), 1).copy_(each[n][i]);
    }
  }
  return layers;
}

std::vector<std::vector<at::Tensor>> SplitEngine::gradients_of(
    const Result& result, const std::vector<PictureSeed>& scalars) {
  const bool local =
      local_ != nullptr && std::ranges::all_of(scalars, &is_local, &PictureSeed::seed);
  if (!local) return Engine::gradients_of(result, scalars);
  std::vector<std::vector<at::Tensor>> found;
  for (const auto& of_head : local_->gradients(head_inputs(result), scalars)) {
    std::vector<at::Tensor>& layers = found.emplace_back();
    for (const auto& [in_head, index] : places_) {
      layers.push_back(of_head.at(in_head ? first_ + index : index));
    }
  }
  return found;
}

std::vector<at::Tensor> SplitEngine::curvatures(const Result& result,
                                                const std::vector<Seed>& seeds) {
  if (local_) {
    const Result again = recorded(result);
    return head_.curvatures({again.output, again.end}, again.activations, seeds);
  }
  return head_.curvatures({result.output, result.end}, result.activations, seeds);
}

Tail SplitEngine::tail(const Result& result, std::size_t /*layer: it has one*/, std::int64_t n) {
  if (places_.size() > 1) throw std::runtime_error("several layers have no tail of their own here");
  return tail_of(head_, result.rest, result.output.size(0), n);
}

at::Tensor SplitEngine::forward_only(const at::Tensor& pixels) {
  const at::NoGradGuard no_grad;
  const FeatureValues values = features_->run(pixels);
  return values.output.defined() ? values.output : head_.run(values.head).output;
}

}  // namespace gradcam
