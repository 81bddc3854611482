#include "stages/explain/explainer.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/max.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "config/user_error.h"
#include "stages/explain/heat.h"
#include "stages/explain/model.h"
#include "stages/explain/torch_threads.h"
#include "stages/explain/torchscript_engine.h"

namespace gradcam {
namespace {

constexpr int kWarmUpRuns = 4;
constexpr int kTopShown = 5;

std::vector<std::string> choose_layers(const Model& model, const ModelDescription& description,
                                       const ExplainOptions& options) {
  const bool automatic = options.layers.empty() || options.layers[0] == "auto";
  if (!automatic) return options.layers;
  if (options.layers.empty() && !description.layers.empty()) return description.layers;
  const auto layers = list_layers(model, description.input_height, description.input_width);
  return {automatic_layer(layers, model.path())};
}

at::Tensor per_channel(const std::array<double, 3>& values, c10::Device device) {
  return at::tensor(at::ArrayRef<double>(values.data(), values.size()))
      .to(device, at::kFloat)
      .view({1, 3, 1, 1});
}

}  // namespace

Explainer::~Explainer() = default;

Explainer::Explainer(const Model& model, ModelDescription description,
                     const ExplainOptions& options)
    : description_(std::move(description)),
      options_(options),
      method_(find_method(options.method)) {
  compute_alone();
  layers_ = choose_layers(model, description_, options);
  engine_ =
      std::make_unique<TorchScriptEngine>(model, layers_, description_.input_height,
                                          description_.input_width, description_.output_index);
  target_ = parse_target(options.target, description_.labels, classes());
  std::array<double, 3> offset{};
  std::array<double, 3> factor{};
  for (std::size_t c = 0; c < 3; ++c) {
    offset[c] = description_.mean[c] * description_.scale;
    factor[c] = 1.0 / (description_.scale * description_.std[c]);
  }
  offset_ = per_channel(offset, model.device());
  factor_ = per_channel(factor, model.device());
}

int Explainer::classes() const { return engine_->outputs(); }
std::string Explainer::device() const { return offset_.device().str(); }

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

at::Tensor Explainer::to_input(const Blob& blob) const {
  if (blob.height != description_.input_height || blob.width != description_.input_width) {
    throw std::runtime_error("blob is " + std::to_string(blob.width) + "x" +
                             std::to_string(blob.height) + ", the network wants " +
                             std::to_string(description_.input_width) + "x" +
                             std::to_string(description_.input_height));
  }
  // from_blob wants a pointer it could write through; nothing writes.
  auto* const pixels = const_cast<std::uint8_t*>(blob.pixels.data());
  const at::Tensor picture =
      at::from_blob(pixels, {1, blob.height, blob.width, 3}, at::TensorOptions(at::kByte))
          .permute({0, 3, 1, 2});  // NCHW by shape, channels_last in memory
  return picture.to(offset_.device(), at::kFloat).sub_(offset_).mul_(factor_);
}

std::vector<float> Explainer::scores_of(const at::Tensor& output) const {
  at::Tensor scores = output.detach().to(at::kCPU, at::kFloat).squeeze(0);
  switch (description_.activation) {
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
  const Engine::Result result = engine_->run(to_input(blob));
  const std::vector<float> scores = scores_of(result.output);
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
      maps.push_back(method_(result.activations[i].detach()[0], gradients[i][0]));
      explanation.strength = std::max(explanation.strength, maps.back().max().item<float>());
    }
    heats.push_back(to_heat(maps, options_.style, blob.height, blob.width));
  }
  explanation.heat = merge_heats(heats);
  return explanation;
}

std::vector<float> Explainer::forward_only(const Blob& blob) {
  return scores_of(engine_->forward_only(to_input(blob)));
}

Explainer::Internals Explainer::internals(const at::Tensor& input, int class_index) {
  Engine::Result result = engine_->run(input);
  auto gradients = torch::autograd::grad({result.output.select(1, class_index).sum()},
                                         result.activations, {}, /*retain_graph=*/false);
  return {result.output.detach(), result.activations, std::move(gradients)};
}

}  // namespace gradcam
