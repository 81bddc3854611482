#include "stages/explain/graph/local_head.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/norm.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <exception>
#include <map>
#include <utility>

#include "stages/explain/graph/head.h"
#include "stages/explain/graph/local_network.h"

namespace gradcam {
namespace {

using Numbers = std::vector<std::int64_t>;

/// Numbers all over an output: of the first to the last of its boxes, coordinates and scores.
std::vector<PictureSeed> numbers_of(const Numbers& shape) {
  constexpr std::array kPlaces = {0.0, 0.2, 0.45, 0.6, 0.7, 0.78, 0.86, 0.93, 0.97, 1.0};
  const auto boxes = std::ranges::max_element(shape);
  std::vector<PictureSeed> numbers;
  for (std::size_t i = 0; i < kPlaces.size(); ++i) {
    std::int64_t index = 0;
    for (auto size = shape.begin(); size != shape.end(); ++size) {
      const auto number = static_cast<std::int64_t>(i % 2 == 0 ? 13 * i : i / 2);
      const auto box = std::llround(kPlaces.at(i) * static_cast<double>(*size - 1));
      index = index * *size + (size == boxes ? box : number % *size);
    }
    numbers.push_back({0, {{index, 1}}});
  }
  return numbers;
}

double length_of(const std::vector<at::Tensor>& gradients) {
  double sum = 0;
  for (const at::Tensor& gradient : gradients) {
    if (gradient.defined()) sum += std::pow(gradient.norm().item<double>(), 2);
  }
  return std::sqrt(sum);
}

/// Whether the whole head has the same gradients. One backward pass for all: of their sum, in which
/// each has the same weight.
bool agrees(const LocalHead& local, const SplitGraph& halves, const OutputChoice& output,
            const std::vector<at::Tensor>& inputs, const std::vector<PictureSeed>& scalars) {
  constexpr double kSame = 1e-3;  // where a ReLU opens or closes by rounding
  const std::size_t layers = halves.count(/*in_head=*/false);
  Head head(halves.head, output, layers, halves.count(/*in_head=*/true));
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.detach());
  for (std::size_t i = 0; i < layers; ++i) leaves[i].requires_grad_();
  const at::AutoGradMode recorded(true);
  const Head::Result result = head.run(leaves);
  leaves.resize(layers);
  leaves.insert(leaves.end(), result.inner.begin(), result.inner.end());
  const auto own = local.gradients(inputs, scalars);
  std::vector<at::Tensor> sum(leaves.size());
  Seed all;
  bool any = false;
  for (std::size_t i = 0; i < scalars.size(); ++i) {
    const double length = length_of(own[i]);
    any |= length > 0;
    all.push_back({scalars[i].seed[0].index, static_cast<float>(length > 0 ? 1 / length : 1)});
    for (std::size_t k = 0; k < sum.size(); ++k) {
      if (!own[i][k].defined()) continue;
      const at::Tensor part = own[i][k] * all.back().weight;
      sum[k] = sum[k].defined() ? sum[k] + part : part;
    }
  }
  if (!any) return false;
  const auto expected = head.gradients(result, leaves, {all}, /*retain_graph=*/false);
  std::vector<at::Tensor> rest;
  for (std::size_t k = 0; k < sum.size(); ++k) {
    rest.push_back(sum[k].defined() ? expected[k] - sum[k] : expected[k]);
  }
  return length_of(rest) <= kSame * length_of(expected);
}

}  // namespace

LocalHead::LocalHead(std::unique_ptr<const LocalNetwork> network) : network_(std::move(network)) {}
LocalHead::~LocalHead() = default;

std::vector<std::vector<at::Tensor>> LocalHead::gradients(
    const std::vector<at::Tensor>& inputs, const std::vector<PictureSeed>& scalars) const {
  std::vector<LocalPlan> plans;
  plans.reserve(scalars.size());
  std::map<std::pair<Numbers, std::size_t>, std::vector<std::size_t>> batches;
  for (std::size_t i = 0; i < scalars.size(); ++i) {
    if (scalars[i].seed.empty()) {
      plans.emplace_back();
      continue;
    }
    plans.push_back(network_->plan_for(scalars[i].seed));
    batches[{plans.back().pattern, plans.back().takes_batch ? 0 : i + 1}].push_back(i);
  }
  std::vector<std::vector<at::Tensor>> gradients(scalars.size());
  for (const auto& [pattern, members] : batches) {
    LocalBatch batch{inputs, {}, {}};
    for (const std::size_t i : members) {
      batch.plans.push_back(&plans[i]);
      batch.scalars.push_back(&scalars[i]);
    }
    auto found = network_->run(batch);
    for (std::size_t n = 0; n < members.size(); ++n) gradients[members[n]] = std::move(found[n]);
  }
  return gradients;
}

std::shared_ptr<const LocalHead> LocalHead::of(const SplitGraph& halves, const OutputChoice& output,
                                               const std::vector<at::Tensor>& inputs, bool proven) {
  constexpr double kMostWork = 0.5;
  try {
    auto network = std::make_unique<const LocalNetwork>(halves, output, inputs);
    const auto scalars = numbers_of(network->output_shape());
    double work = 0;
    for (const PictureSeed& scalar : scalars) {
      work += network->share_of(network->plan_for(scalar.seed));
    }
    if (work > kMostWork * static_cast<double>(scalars.size())) return nullptr;
    const std::shared_ptr<const LocalHead> local(new LocalHead(std::move(network)));
    return proven || agrees(*local, halves, output, inputs, scalars) ? local : nullptr;
  } catch (const std::exception&) {  // what it cannot do with, Head can
    return nullptr;
  }
}

}  // namespace gradcam
