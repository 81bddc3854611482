#include "stages/explain/explain_pictures.h"

#include <ATen/TensorIndexing.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <optional>
#include <random>
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

/// The pictures of one call, from the engine's result to their explanations.
class Pictures {
 public:
  /// Runs the engine.
  Pictures(const std::vector<const Blob*>& blobs, const Question& question,
           const ExplainSetup& setup);

  std::vector<Explanation> explain();

 private:
  void read_outputs();
  void add_heats(std::size_t k, bool more);
  HeatMap heat_of(std::size_t n, std::size_t k, const Slopes& slopes, const Seed& seed);
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
  for (std::size_t k = 0; k < most; ++k) add_heats(k, /*more=*/k + 1 < most);
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

/// The heat of the k-th target of each picture. `more`: of further targets too.
void Pictures::add_heats(std::size_t k, bool more) {
  std::vector<Seed> seeds;
  for (std::size_t n = 0; n < blobs_.size(); ++n) {
    const ExplainedTarget* const explained = target(n, k);
    seeds.push_back(explained != nullptr ? explained->scalar.seed(run_.output(n)) : Seed{});
  }
  const Slopes slopes = slopes_of(run_, seeds, method_, more);
  const at::NoGradGuard no_grad;
  for (std::size_t n = 0; n < blobs_.size(); ++n) {
    if (target(n, k) != nullptr) heats_[n].push_back(heat_of(n, k, slopes, seeds[n]));
  }
}

/// Of one target; the picture's strength becomes at least the largest value of its maps.
HeatMap Pictures::heat_of(std::size_t n, std::size_t k, const Slopes& slopes, const Seed& seed) {
  const ModelDescription& description = setup_.description;
  const ExplainOptions& options = setup_.options;
  const ExplainedTarget& explained = *target(n, k);
  float& strength = explanations_[n].strength;
  std::vector<HeatMap> maps;
  const std::size_t layers = method_.needs.layer ? run_.result.activations.size() : 1;
  for (std::size_t i = 0; i < layers; ++i) {
    const ExplainedScalar scalar{n, explained.scalar, seed};
    const MethodInput input = setup_.inputs.input(run_, i, scalar, method_, slopes);
    HeatMap& map = maps.emplace_back(to_map(map_of(method_, input, smooths(options, "eigen"))));
    if (method_.free_sign && !question_.memories.empty()) {
      align_sign(map, question_.memories.at(n)->signs[{setup_.layers.at(i), k}]);
    }
    strength = std::max(strength, *std::max_element(map.values.begin(), map.values.end()));
  }
  HeatMap heat = to_heat(maps, options.style, description.input_height, description.input_width);
  if (!explained.box || !options.inside) return heat;
  return inside_boxes(heat, {*explained.box}, description.input_height, description.input_width);
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
