#include "stages/explain/explainer.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIndexing.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

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

/// u8 [N, H, W, 3]
at::Tensor pixels_of(const std::vector<const Blob*>& blobs, const ModelDescription& description) {
  const auto height = description.input_height;
  const auto width = description.input_width;
  for (const Blob* blob : blobs) {
    if (blob->height == height && blob->width == width) continue;
    throw std::runtime_error("blob is " + std::to_string(blob->width) + "x" +
                             std::to_string(blob->height) + ", the network wants " +
                             std::to_string(width) + "x" + std::to_string(height));
  }
  const auto wrapped = [&](const Blob& blob) {
    // from_blob wants a pointer it could write through; nothing writes.
    auto* const pixels = const_cast<std::uint8_t*>(blob.pixels.data());
    return at::from_blob(pixels, {1, height, width, 3}, at::TensorOptions(at::kByte));
  };
  if (blobs.size() == 1) return wrapped(*blobs[0]);
  std::vector<at::Tensor> all;
  all.reserve(blobs.size());
  for (const Blob* blob : blobs) all.push_back(wrapped(*blob));
  return at::cat(all);
}

HeatMap to_map(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kCPU, at::kFloat).contiguous();
  const float* const begin = plain.const_data_ptr<float>();
  return {static_cast<int>(plain.size(0)),
          static_cast<int>(plain.size(1)),
          {begin, begin + plain.numel()}};
}

}  // namespace

/// All that is LibTorch's.
struct Explainer::Parts {
  CamMethod method;
  ChosenEngine chosen;
};

Explainer::~Explainer() = default;

Explainer::Explainer(const Network& network, ModelDescription description,
                     const ExplainOptions& options, Choosing choosing)
    : description_(std::move(description)),
      options_(options),
      device_(network.device().str()),
      parts_(std::make_unique<Parts>()) {
  compute_alone();
  parts_->method = find_method(options.method);
  layers_ = choose_layers(network, description_, options);
  parts_->chosen = make_engine(network, layers_, description_, options, choosing);
  target_ = parse_target(options.target, description_.labels, classes());
  if (options.batch > 1 &&
      takes_batches(*parts_->chosen.engine,
                    probe_pixels(description_.input_height, description_.input_width),
                    options.batch)) {
    batch_ = options.batch;
  }
}

int Explainer::classes() const { return parts_->chosen.engine->outputs(); }
std::string Explainer::engine() const { return parts_->chosen.engine->name(); }
const std::vector<EngineTrial>& Explainer::engine_trials() const { return parts_->chosen.trials; }

void Explainer::warm_up() {
  at::set_num_threads(parts_->chosen.engine->torch_threads(engine_threads(options_)));
  run_in();
}

void Explainer::run_in() {
  const auto height = description_.input_height;
  const auto width = description_.input_width;
  Blob grey{height, width, {}};
  grey.pixels.assign(static_cast<std::size_t>(height) * width * 3, 127);
  for (std::size_t i = 0; i < grey.pixels.size(); i += 7) grey.pixels[i] = 200;
  for (int i = 0; i < kWarmUpRuns; ++i) {
    explain(grey);
    if (batch_ > 1) explain({static_cast<std::size_t>(batch_), &grey}, target_);
  }
}

/// Of one picture, whose row of outputs is `row`, after the description's activation.
std::vector<float> Explainer::scores_of(std::span<const float> row) const {
  std::vector<float> scores(row.begin(), row.end());
  switch (description_.activation) {
    case ScoreActivation::kSoftmax: {
      const float highest = *std::max_element(row.begin(), row.end());
      double sum = 0;
      for (float& score : scores) sum += score = std::exp(score - highest);
      for (float& score : scores) score = static_cast<float>(score / sum);
      break;
    }
    case ScoreActivation::kSigmoid:
      for (float& score : scores) score = 1 / (1 + std::exp(-score));
      break;
    case ScoreActivation::kNone:
      break;
  }
  for (const float score : scores) {
    if (!std::isfinite(score)) throw std::runtime_error("the scores hold a NaN or an infinity");
  }
  return scores;
}

Explanation Explainer::explain(const Blob& blob, const TargetChoice& target) {
  return explain(std::vector<const Blob*>{&blob}, target).at(0);
}

std::vector<Explanation> Explainer::explain(const std::vector<const Blob*>& blobs,
                                            const TargetChoice& target) {
  Engine& engine = *parts_->chosen.engine;
  const Engine::Result result = engine.run(pixels_of(blobs, description_));
  std::vector<Explanation> explanations = judge(to_map(result.output.detach()), target);
  const std::size_t targets = explanations.at(0).targets.size();  // of all: it is one choice
  std::vector<std::vector<HeatMap>> heats(blobs.size());
  for (std::size_t k = 0; k < targets; ++k) {
    std::vector<int> classes;
    classes.reserve(explanations.size());
    for (const Explanation& e : explanations) classes.push_back(e.targets[k].index);
    const auto gradients = engine.gradients(result, classes, /*more=*/k + 1 < targets);
    const at::NoGradGuard no_grad;
    for (std::size_t n = 0; n < blobs.size(); ++n) {
      std::vector<HeatMap> maps;
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        const auto at = static_cast<std::int64_t>(n);
        maps.push_back(
            to_map(parts_->method(result.activations[i].detach()[at], gradients[i][at])));
        const auto& values = maps.back().values;
        explanations[n].strength =
            std::max(explanations[n].strength, *std::max_element(values.begin(), values.end()));
      }
      heats[n].push_back(to_heat(maps, options_.style, blobs[n]->height, blobs[n]->width));
    }
  }
  for (std::size_t n = 0; n < blobs.size(); ++n) {
    explanations[n].heat = merge_heats(std::move(heats[n]));
  }
  return explanations;
}

/// What the network says of each picture, one row of `outputs` each, and what is to be explained.
std::vector<Explanation> Explainer::judge(const HeatMap& outputs,
                                          const TargetChoice& target) const {
  std::vector<Explanation> explanations;
  for (std::size_t n = 0; n < static_cast<std::size_t>(outputs.height); ++n) {
    const auto width = static_cast<std::size_t>(outputs.width);
    const auto scores = scores_of(std::span(outputs.values).subspan(n * width, width));
    Explanation& explanation = explanations.emplace_back();
    explanation.method = options_.method;
    explanation.layers = layers_;
    for (const int index : best_classes(scores, kTopShown)) {
      explanation.top.push_back(class_score(index, scores, description_.labels));
    }
    for (const int index : chosen_classes(target, scores)) {
      explanation.targets.push_back(class_score(index, scores, description_.labels));
    }
  }
  return explanations;
}

std::vector<float> Explainer::forward_only(const Blob& blob) {
  return scores_of(
      to_map(parts_->chosen.engine->forward_only(pixels_of({&blob}, description_))).values);
}

}  // namespace gradcam
