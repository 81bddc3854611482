#include "stages/explain/explainer.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/max.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "config/user_error.h"
#include "stages/explain/heat.h"
#include "stages/explain/make_engine.h"
#include "stages/explain/methods.h"
#include "stages/explain/network.h"
#include "stages/explain/torch_threads.h"

namespace gradcam {
namespace {

constexpr int kWarmUpRuns = 4;
constexpr int kTopShown = 5;

std::vector<std::string> choose_layers(const Network& network, const ModelDescription& description,
                                       const ExplainOptions& options) {
  const bool automatic = options.layers.empty() || options.layers[0] == "auto";
  if (!automatic) return options.layers;
  if (options.layers.empty() && !description.layers.empty()) return description.layers;
  const Model& model = network.model();
  const auto layers = list_layers(model, description.input_height, description.input_width);
  return {automatic_layer(layers, model.path())};
}

at::Tensor per_channel(const std::array<double, 3>& values, c10::Device device) {
  return at::tensor(at::ArrayRef<double>(values.data(), values.size()))
      .to(device, at::kFloat)
      .view({1, 3, 1, 1});
}

}  // namespace

/// All that is LibTorch's.
struct Explainer::Parts {
  CamMethod method;
  std::unique_ptr<Engine> engine;
  at::Tensor offset;  ///< [1, 3, 1, 1]: mean * scale
  at::Tensor factor;  ///< [1, 3, 1, 1]: 1 / (scale * std)

  at::Tensor to_input(const Blob& blob, const ModelDescription& description) const;
  std::vector<float> scores_of(const at::Tensor& output, ScoreActivation activation) const;
};

Explainer::~Explainer() = default;

Explainer::Explainer(const Network& network, ModelDescription description,
                     const ExplainOptions& options)
    : description_(std::move(description)), options_(options), parts_(std::make_unique<Parts>()) {
  compute_alone();
  parts_->method = find_method(options.method);
  layers_ = choose_layers(network, description_, options);
  parts_->engine = make_engine(network, layers_, description_, options);
  target_ = parse_target(options.target, description_.labels, classes());
  std::array<double, 3> offset{};
  std::array<double, 3> factor{};
  for (std::size_t c = 0; c < 3; ++c) {
    offset[c] = description_.mean[c] * description_.scale;
    factor[c] = 1.0 / (description_.scale * description_.std[c]);
  }
  parts_->offset = per_channel(offset, network.device());
  parts_->factor = per_channel(factor, network.device());
}

int Explainer::classes() const { return parts_->engine->outputs(); }
std::string Explainer::device() const { return parts_->offset.device().str(); }
std::string Explainer::engine() const { return parts_->engine->name(); }

void Explainer::warm_up() {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(options_.threads > 0 ? options_.threads : cores);
  run_in();
}

void Explainer::run_in() {
  const auto height = description_.input_height;
  const auto width = description_.input_width;
  Blob grey{height, width, {}};
  grey.pixels.assign(static_cast<std::size_t>(height) * width * 3, 127);
  for (std::size_t i = 0; i < grey.pixels.size(); i += 7) grey.pixels[i] = 200;
  for (int i = 0; i < kWarmUpRuns; ++i) explain(grey);
}

at::Tensor Explainer::Parts::to_input(const Blob& blob, const ModelDescription& description) const {
  if (blob.height != description.input_height || blob.width != description.input_width) {
    throw std::runtime_error("blob is " + std::to_string(blob.width) + "x" +
                             std::to_string(blob.height) + ", the network wants " +
                             std::to_string(description.input_width) + "x" +
                             std::to_string(description.input_height));
  }
  // from_blob wants a pointer it could write through; nothing writes.
  auto* const pixels = const_cast<std::uint8_t*>(blob.pixels.data());
  const at::Tensor picture =
      at::from_blob(pixels, {1, blob.height, blob.width, 3}, at::TensorOptions(at::kByte))
          .permute({0, 3, 1, 2});  // NCHW by shape, channels_last in memory
  return picture.to(offset.device(), at::kFloat).sub_(offset).mul_(factor);
}

std::vector<float> Explainer::Parts::scores_of(const at::Tensor& output,
                                               ScoreActivation activation) const {
  at::Tensor scores = output.detach().to(at::kCPU, at::kFloat).squeeze(0);
  switch (activation) {
    case ScoreActivation::kSoftmax:
      scores = scores.softmax(0);
      break;
    case ScoreActivation::kSigmoid:
      scores = scores.sigmoid();
      break;
    case ScoreActivation::kNone:
      break;
  }
  scores = scores.contiguous();
  const float* const begin = scores.const_data_ptr<float>();
  std::vector<float> values(begin, begin + scores.numel());
  for (const float value : values) {
    if (!std::isfinite(value)) throw std::runtime_error("the scores hold a NaN or an infinity");
  }
  return values;
}

Explanation Explainer::explain(const Blob& blob, const TargetChoice& target) {
  const Engine::Result result = parts_->engine->run(parts_->to_input(blob, description_));
  const std::vector<float> scores = parts_->scores_of(result.output, description_.activation);
  Explanation explanation;
  explanation.method = options_.method;
  explanation.layers = layers_;
  for (const int index : best_classes(scores, kTopShown)) {
    explanation.top.push_back(class_score(index, scores, description_.labels));
  }
  const std::vector<int> targets = chosen_classes(target, scores);
  std::vector<at::Tensor> heats;
  for (std::size_t k = 0; k < targets.size(); ++k) {
    explanation.targets.push_back(class_score(targets[k], scores, description_.labels));
    const bool more = k + 1 < targets.size();
    const auto gradients = torch::autograd::grad({result.output.select(1, targets[k]).sum()},
                                                 result.activations, {}, /*retain_graph=*/more);
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> maps;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      maps.push_back(parts_->method(result.activations[i].detach()[0], gradients[i][0]));
      explanation.strength = std::max(explanation.strength, maps.back().max().item<float>());
    }
    heats.push_back(to_heat(maps, options_.style, blob.height, blob.width));
  }
  explanation.heat = merge_heats(heats);
  return explanation;
}

std::vector<float> Explainer::forward_only(const Blob& blob) {
  return parts_->scores_of(parts_->engine->forward_only(parts_->to_input(blob, description_)),
                           description_.activation);
}

}  // namespace gradcam
