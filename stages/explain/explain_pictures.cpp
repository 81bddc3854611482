#include "stages/explain/explain_pictures.h"

#include <ATen/TensorIndexing.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <optional>
#include <random>
#include <span>
#include <utility>

#include "stages/explain/explainer.h"
#include "stages/explain/graph/plain_attention.h"
#include "stages/explain/maps/box_heat.h"
#include "stages/explain/maps/faithfulness.h"
#include "stages/explain/maps/heat.h"
#include "stages/explain/model/tensors.h"
#include "stages/explain/option_rules.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

/// The same pseudo-random mixture of all outputs for each target.
void randomise(std::vector<ExplainedTarget>& targets, int outputs) {
  std::mt19937 generator(1);
  std::normal_distribution<float> weight;
  for (ExplainedTarget& target : targets) {
    Seed terms;
    for (int i = 0; i < outputs; ++i) terms.push_back({i, weight(generator)});
    target.scalar = Scalar::sum(std::move(terms));
  }
}

/// The scalars of a target that the method explains: of a box its numbers, too, if it wants them.
std::vector<Scalar> scalars_of(const ExplainedTarget& target, const Method& method) {
  std::vector<Scalar> scalars{target.scalar};
  if (!method.needs.box) return scalars;
  for (const std::int64_t number : target.box_numbers) {
    scalars.push_back(Scalar::sum({{number, 1}}));
  }
  return scalars;
}

/// The explanation as far as the output alone gives it.
Explanation without_heat(const OutputReading& reading) {
  Explanation explanation;
  explanation.top = reading.top;
  for (const ExplainedTarget& target : reading.targets) {
    explanation.targets.push_back(target.class_score);
  }
  explanation.objects = reading.objects;
  explanation.classes = reading.classes;
  return explanation;
}

constexpr std::size_t kTogether = 10;  ///< targets of a picture whose gradients are held at once

/// The pictures of one call, from the engine's result to their explanations.
class Pictures {
 public:
  /// Runs the engine.
  Pictures(const std::vector<const Blob*>& blobs, const Question& question,
           const ExplainSetup& setup);

  std::vector<Explanation> explain();

 private:
  void read_outputs();
  void add_heats(std::size_t begin, std::size_t end);
  HeatMap heat_of(std::size_t n, std::size_t k, std::span<const ExplainedScalar> scalars,
                  std::span<const Slopes> slopes);
  HeatMap map_of(const ExplainedScalar& scalar, const Slopes& slopes, std::size_t layer);
  InputGradient guided_of(std::size_t n);
  ReadingOptions reading_options(std::size_t n) const;
  /// The k-th target of picture n; null if there are not so many.
  const ExplainedTarget* target(std::size_t n, std::size_t k) const;

  const std::vector<const Blob*>& blobs_;
  const Question& question_;
  const ExplainSetup& setup_;
  const Method& method_;
  EngineRun run_;
  std::optional<PlainAttention> plain_attention_;
  // One for each picture:
  std::vector<OutputReading> readings_;
  std::vector<Explanation> explanations_;
  std::vector<std::vector<HeatMap>> heats_;  ///< of its targets
};

Pictures::Pictures(const std::vector<const Blob*>& blobs, const Question& question,
                   const ExplainSetup& setup)
    : blobs_(blobs),
      question_(question),
      setup_(setup),
      method_(find_method(question.method.empty() ? setup.options.method : question.method)),
      run_{setup.engine, pixels_of(blobs, setup.description), question.stop},
      heats_(blobs.size()) {
  if (method_.needs.curvature) plain_attention_.emplace();
  run_.result = setup.engine.run(run_.pixels);
  run_.outputs = to_map(run_.result.output.detach().flatten(1));
}

std::vector<Explanation> Pictures::explain() {
  read_outputs();
  std::size_t most = 0;
  for (const OutputReading& reading : readings_) most = std::max(most, reading.targets.size());
  for (std::size_t k = 0; k < most; k += kTogether) add_heats(k, std::min(k + kTogether, most));
  for (std::size_t n = 0; n < blobs_.size(); ++n) {
    if (setup_.options.guided && !heats_[n].empty()) explanations_[n].guided = guided_of(n);
    explanations_[n].heat =
        heats_[n].empty() ? no_heat(*blobs_[n]) : merge_heats(std::move(heats_[n]));
  }
  return std::move(explanations_);
}

ReadingOptions Pictures::reading_options(std::size_t n) const {
  ReadingOptions options;
  options.target = question_.target;
  options.leads = method_.needs.rivals;
  options.reference = setup_.reference;
  if (!question_.memories.empty()) options.memory = question_.memories.at(n);
  options.hysteresis = setup_.options.hysteresis;
  options.region = setup_.options.region;
  return options;
}

/// Readings, and explanations that lack their heat.
void Pictures::read_outputs() {
  const std::vector<std::int64_t> shape = setup_.engine.output_shape();
  for (std::size_t n = 0; n < blobs_.size(); ++n) {
    OutputReading& reading = readings_.emplace_back(
        read_output({run_.output(n), shape}, setup_.description, reading_options(n)));
    if (question_.randomised) randomise(reading.targets, run_.outputs.width);
    Explanation& explanation = explanations_.emplace_back(without_heat(reading));
    explanation.method = method_.name;
    explanation.layers = setup_.layers;
    explanation.engine = setup_.engine.name();
    explanation.precision = setup_.engine.precision();
    explanation.is_value = task_of(setup_.description).values;
  }
}

const ExplainedTarget* Pictures::target(std::size_t n, std::size_t k) const {
  return k < readings_[n].targets.size() ? &readings_[n].targets[k] : nullptr;
}

/// The heats of the targets from `begin` to `end` of each picture.
void Pictures::add_heats(std::size_t begin, std::size_t end) {
  std::vector<ExplainedScalar> scalars;
  for (std::size_t k = begin; k < end; ++k) {
    for (std::size_t n = 0; n < blobs_.size(); ++n) {
      if (target(n, k) == nullptr) continue;
      for (Scalar& scalar : scalars_of(*target(n, k), method_)) {
        Seed seed = scalar.seed(run_.output(n));
        scalars.push_back({n, std::move(scalar), std::move(seed)});
      }
    }
  }
  const std::vector<Slopes> slopes = slopes_of(run_, scalars, method_);
  const at::NoGradGuard no_grad;
  std::span<const ExplainedScalar> left(scalars);
  std::span<const Slopes> slopes_left(slopes);
  for (std::size_t k = begin; k < end; ++k) {
    for (std::size_t n = 0; n < blobs_.size(); ++n) {
      if (target(n, k) == nullptr) continue;
      const std::size_t count = scalars_of(*target(n, k), method_).size();
      heats_[n].push_back(heat_of(n, k, left.first(count), slopes_left.first(count)));
      left = left.subspan(count);
      slopes_left = slopes_left.subspan(count);
    }
  }
}

/// Of one target, which `scalars` belong to; the picture's strength becomes at least the largest
/// value of the maps of its score.
HeatMap Pictures::heat_of(std::size_t n, std::size_t k, std::span<const ExplainedScalar> scalars,
                          std::span<const Slopes> slopes) {
  const ModelDescription& description = setup_.description;
  const ExplainOptions& options = setup_.options;
  const std::size_t layers = method_.needs.layer ? run_.result.activations.size() : 1;
  std::vector<HeatMap> heats;
  for (std::size_t s = 0; s < scalars.size(); ++s) {
    std::vector<HeatMap> maps;
    for (std::size_t i = 0; i < layers; ++i) {
      HeatMap& map = maps.emplace_back(map_of(scalars[s], slopes[s], i));
      if (method_.free_sign && !question_.memories.empty()) {
        align_sign(map, question_.memories.at(n)->signs[{setup_.layers.at(i), k}]);
      }
      if (s > 0) continue;
      float& strength = explanations_[n].strength;
      strength = std::max(strength, *std::max_element(map.values.begin(), map.values.end()));
    }
    HeatMap& heat = heats.emplace_back(
        to_heat(maps, options.style, description.input_height, description.input_width));
    // A score and a number of pixels have no common scale.
    if (scalars.size() > 1) heat = min_max(std::move(heat));
  }
  HeatMap heat = merge_heats(std::move(heats));
  const ExplainedTarget& explained = *target(n, k);
  if (!explained.box || !options.inside) return heat;
  return inside_boxes(heat, {*explained.box}, description.input_height, description.input_width);
}

HeatMap Pictures::map_of(const ExplainedScalar& scalar, const Slopes& slopes, std::size_t layer) {
  const MethodInput input = setup_.inputs.input(run_, layer, scalar, method_, slopes);
  // Of a box most levels of a detector know nothing, and every method makes zeros of zeros.
  if (method_.needs.gradient && !slopes.gradients[layer].defined()) {
    const at::Tensor& places = input.activation;
    const auto count = static_cast<std::size_t>(places.size(1) * places.size(2));
    return {static_cast<int>(places.size(1)), static_cast<int>(places.size(2)),
            std::pmr::vector<float>(count)};
  }
  return to_map(gradcam::map_of(method_, input, smooths(setup_.options, "eigen")));
}

/// Of all that is explained in one picture together.
InputGradient Pictures::guided_of(std::size_t n) {
  Seed all;
  for (const ExplainedTarget& explained : readings_[n].targets) {
    const Seed seed = explained.scalar.seed(run_.output(n));
    all.insert(all.end(), seed.begin(), seed.end());
  }
  WholeNetwork& whole = setup_.inputs.whole_network();
  const at::Tensor pixels = run_.pixels.narrow(0, static_cast<std::int64_t>(n), 1);
  const at::Tensor gradient = whole.guided_gradient(whole.input_of(pixels), all);
  const ColorOrder color = setup_.description.color;
  InputGradient result;
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const std::size_t channel = color == ColorOrder::kBgr ? plane : 2 - plane;
    const bool gray = color == ColorOrder::kGray;
    result.planes.at(plane) = to_map(gradient[gray ? 0 : static_cast<std::int64_t>(channel)]);
  }
  return result;
}

}  // namespace

std::vector<Explanation> explain_pictures(const std::vector<const Blob*>& blobs,
                                          const Question& question, const ExplainSetup& setup) {
  return Pictures(blobs, question, setup).explain();
}

}  // namespace gradcam
