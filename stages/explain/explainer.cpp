#include "stages/explain/explainer.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>

#include "config/method_table.h"
#include "config/user_error.h"
#include "stages/explain/engines/batching.h"
#include "stages/explain/engines/make_engine.h"
#include "stages/explain/engines/probe.h"
#include "stages/explain/engines/whole_network.h"
#include "stages/explain/graph/detector_layers.h"
#include "stages/explain/graph/layers.h"
#include "stages/explain/graph/plain_attention.h"
#include "stages/explain/graph/tokens.h"
#include "stages/explain/maps/augmentation.h"
#include "stages/explain/maps/box_heat.h"
#include "stages/explain/maps/faithfulness.h"
#include "stages/explain/maps/heat.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/network.h"
#include "stages/explain/model/tensors.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/explain/model/torch_threads.h"
#include "stages/explain/option_rules.h"
#include "stages/explain/tasks/output_reading.h"
#include "stages/explain/tasks/scalar.h"
#include "stages/frame/stopped.h"

namespace gradcam {
namespace {

constexpr int kWarmUpRuns = 4;

std::vector<std::string> choose_layers(const Network& network, const ModelDescription& description,
                                       const ExplainOptions& options) {
  const auto& asked = options.layers.empty() ? description.layers : options.layers;
  if (!asked.empty() && asked[0] != "auto") return asked;
  const Model& model = network.model();
  if (description.task == Task::kDetection) {
    auto neck = detector_layers(model, description.input_height, description.input_width);
    if (!neck.empty()) return neck;
  }
  const auto layers = list_layers(model, description.input_height, description.input_width);
  return {automatic_layer(layers, model.path())};
}

/// S of each row of outputs [B, …], as float [B].
at::Tensor values_of(const Scalar& scalar, const at::Tensor& outputs) {
  const HeatMap rows = to_map(outputs.flatten(1));
  at::Tensor values = at::empty({outputs.size(0)}, at::TensorOptions(at::kFloat));
  for (std::int64_t n = 0; n < outputs.size(0); ++n) {
    values.mutable_data_ptr<float>()[n] =
        static_cast<float>(scalar.value(row_of(rows, static_cast<std::size_t>(n))));
  }
  return values.to(outputs.device());
}

/// The same pseudo-random mixture of all outputs for each aim.
void randomise(std::vector<Aim>& aims, int outputs) {
  std::mt19937 generator(1);
  std::normal_distribution<float> weight;
  for (Aim& aim : aims) {
    Seed terms;
    for (int i = 0; i < outputs; ++i) terms.push_back({i, weight(generator)});
    aim.scalar = Scalar::sum(std::move(terms));
  }
}

/// The explanation as far as the output alone gives it.
Explanation told_of(const Verdict& verdict) {
  Explanation explanation;
  explanation.top = verdict.top;
  for (const Aim& aim : verdict.aims) explanation.targets.push_back(aim.what);
  explanation.objects = verdict.objects;
  explanation.classes = verdict.classes;
  return explanation;
}

}  // namespace

/// One call of the engine, and what the network said of each of its pictures.
struct Explainer::Run {
  const std::vector<const Blob*>& blobs;
  const Question& question;
  const Method& method;
  at::Tensor pixels;
  CutResult result{};
  HeatMap outputs{};  ///< one row for each picture
  std::vector<Verdict> verdicts{};

  std::span<const float> output(std::size_t n) const { return row_of(outputs, n); }
  /// The k-th thing to explain in picture n; null if there are not so many.
  const Aim* aim(std::size_t n, std::size_t k) const {
    return k < verdicts[n].aims.size() ? &verdicts[n].aims[k] : nullptr;
  }
  std::size_t most_aims() const {
    std::size_t most = 0;
    for (const Verdict& verdict : verdicts) most = std::max(most, verdict.aims.size());
    return most;
  }
};

/// First and second derivatives, one for each layer.
struct Explainer::Slopes {
  std::vector<at::Tensor> gradients;
  std::vector<at::Tensor> curvatures;
};

/// All that is LibTorch's.
struct Explainer::Parts {
  explicit Parts(Network of) : network(std::move(of)) {}

  Network network;
  ChosenEngine chosen;
  std::map<std::size_t, Batching> tails;  ///< by layer
  std::unique_ptr<WholeNetwork> whole;    ///< made when a method first asks for it
  Batching whole_batching;

  /// As far as `method` needs them, with respect to each activation.
  Slopes slopes(const CutResult& result, const std::vector<Seed>& seeds, const Method& method,
                bool more) {
    Slopes slopes;
    if (method.needs.curvature) slopes.curvatures = chosen.engine->curvatures(result, seeds);
    if (method.needs.gradient) slopes.gradients = chosen.engine->gradients(result, seeds, more);
    return slopes;
  }

  /// What a method may ask of one activation of the n-th picture. Valid as long as the arguments.
  MethodInput input(const Run& run, std::size_t layer, std::int64_t n, const Scalar& scalar,
                    const std::optional<TokenGrid>& tokens) {
    MethodInput input;
    const at::Tensor activation = run.result.activations[layer].detach()[n];
    input.activation = to_places(activation, tokens);
    input.score_behind = [this, &run, layer, n, &scalar, &tokens, activation,
                          tail = Tail()](const at::Tensor& places) mutable {
      throw_if_stopped(run.question.stop);
      if (!tail) tail = chosen.engine->tail(run.result, layer, n);
      return values_of(scalar, tails[layer].run(tail, from_places(places, activation, tokens)));
    };
    return input;
  }

  WholeNetwork& whole_network(const ModelDescription& description) {
    if (!whole) whole = std::make_unique<WholeNetwork>(network.model(), description);
    return *whole;
  }

  /// The same of the whole network.
  void add_network(MethodInput& input, const ModelDescription& description, const Run& run,
                   std::int64_t n, const Scalar& scalar, const Seed& seed) {
    const at::Tensor picture = whole_network(description).input_of(run.pixels.narrow(0, n, 1));
    input.score_masked = [this, &run, picture, &scalar](const at::Tensor& masks) {
      throw_if_stopped(run.question.stop);
      const auto outputs = [this](const at::Tensor& inputs) { return whole->outputs(inputs); };
      return values_of(scalar, whole_batching.run(outputs, picture * masks.unsqueeze(1)));
    };
    input.full_gradients = [this, picture, &seed] { return whole->full_gradients(picture, seed); };
  }
};

Explainer::~Explainer() = default;

Explainer::Explainer(const Network& network, ModelDescription description,
                     const ExplainOptions& options, Choosing choosing)
    : description_(std::move(description)),
      options_(options),
      device_(network.device().str()),
      parts_(std::make_unique<Parts>(network)) {
  compute_alone();
  if (options.confidence > 0) description_.threshold = options.confidence;
  if (options_.method == "auto") options_.method = usual_method(description_.task);
  const Method& method = find_method(options_.method);
  require_fitting(options_, method, description_, network.has_model() ? "" : network.path());
  layers_ = choose_layers(network, description_, options);
  parts_->chosen = make_engine(network, layers_, description_, options, choosing);
  const auto shape = parts_->chosen.engine->output_shape();
  const auto labels = std::ssize(description_.labels);
  if (labels > 0 && std::count(shape.begin(), shape.end(), 4 + labels) > 0 &&
      description_.boxes.format == BoxFormat::kYolov8) {
    description_.boxes.classes = static_cast<int>(labels);  // tells which way round the output is
  }
  classes_ = classes_of(description_, shape, network.path());
  target_ = parse_target(options.target, description_.task, description_.labels, classes_);
  if (options.batch > 1 &&
      takes_batches(*parts_->chosen.engine,
                    probe_pixels(description_.input_height, description_.input_width),
                    options.batch)) {
    batch_ = options.batch;
  }
  require_fit(network, method);
  // Loaded here, not in front of the first frame.
  if (method.needs.network) parts_->whole_network(description_);
  if (options_.guided) parts_->whole_network(description_).require_relu();
}

/// Throws UserError(kUsage) for a layer whose activation is no map of places, or whose tail is not
/// to be had apart where the method wants that; kModel for an output that holds no boxes as the
/// description has them.
void Explainer::require_fit(const Network& network, const Method& method) {
  Engine& engine = *parts_->chosen.engine;
  const CutResult result =
      engine.run(probe_pixels(description_.input_height, description_.input_width));
  for (std::size_t i = 0; i < result.activations.size(); ++i) {
    try {
      to_places(result.activations[i].detach()[0], description_.tokens);
    } catch (const std::runtime_error& error) {
      throw UserError(ExitCode::kUsage, "layer " + layers_.at(i) + ": " + error.what());
    }
    if (method.needs.tail) engine.tail(result, i, 0);
  }
  if (description_.task != Task::kDetection) return;
  const HeatMap outputs = to_map(result.output.detach().flatten(1));
  try {
    decode(row_of(outputs, 0), engine.output_shape(), description_.boxes, description_.input_height,
           description_.input_width, /*threshold=*/0);
  } catch (const std::runtime_error& error) {
    throw UserError(ExitCode::kModel, "model '" + network.path() + "': " + error.what());
  }
}

std::string Explainer::engine() const { return parts_->chosen.engine->name(); }
const std::vector<EngineTrial>& Explainer::engine_trials() const { return parts_->chosen.trials; }
const std::string& Explainer::choice_file() const { return parts_->chosen.remembered_in; }

void Explainer::take_threads() const {
  const Method::Needs& needs = find_method(options_.method).needs;
  const int all = engine_threads(options_);
  const bool many_runs = needs.tail || needs.network || options_.guided;
  const int wanted = many_runs ? all : parts_->chosen.engine->torch_threads(all);
  // Setting it makes oneDNN forget what it has compiled.
  if (at::get_num_threads() != wanted) at::set_num_threads(wanted);
}

void Explainer::warm_up() {
  take_threads();
  run_in();
}

void Explainer::run_in() {
  const auto height = description_.input_height;
  const auto width = description_.input_width;
  Blob grey{height, width, {}};
  grey.pixels.assign(static_cast<std::size_t>(height) * width * 3, 127);
  for (std::size_t i = 0; i < grey.pixels.size(); i += 7) grey.pixels[i] = 200;
  // Of a method that takes seconds the engine gets warm by another one.
  const bool quick = cost_of(options_.method) == MethodCost::kFrame;
  const Question question{target_, quick ? "" : "gradcam"};
  for (int i = 0; i < kWarmUpRuns; ++i) {
    explain(grey, question);
    if (description_.task == Task::kDetection) {  // there is no box to explain in grey
      Engine& engine = *parts_->chosen.engine;
      engine.gradients(engine.run(pixels_of({&grey}, description_)), {Seed{SeedTerm{}}}, false);
    }
    if (batch_ > 1) explain({static_cast<std::size_t>(batch_), &grey}, question);
  }
}

const std::string& Explainer::method_of(const Question& question) const {
  return question.method.empty() ? options_.method : question.method;
}

Explanation Explainer::explain(const Blob& blob, const Question& question) {
  return explain(std::vector<const Blob*>{&blob}, question).at(0);
}

/// What LibTorch throws comes with a trace of many lines.
std::vector<Explanation> Explainer::explain(const std::vector<const Blob*>& blobs,
                                            const Question& question) {
  try {
    return explain_all(blobs, question);
  } catch (const c10::Error& error) {
    throw std::runtime_error(torch_reason(error.what()));
  } catch (const torch::jit::JITException& error) {
    throw std::runtime_error(torch_reason(error.what()));
  }
}

std::vector<Explanation> Explainer::explain_all(const std::vector<const Blob*>& blobs,
                                                const Question& question) {
  if (!smooths(options_, "aug") || question.randomised) return explain_once(blobs, question);
  std::vector<Explanation> explanations;
  explanations.reserve(blobs.size());
  for (std::size_t n = 0; n < blobs.size(); ++n) {
    explanations.push_back(explain_varied(*blobs[n], question.of_picture(n)));
  }
  return explanations;
}

/// `--smooth aug`: all variants are explained for what the picture itself is explained for.
Explanation Explainer::explain_varied(const Blob& blob, const Question& question) {
  const Normalisation normalisation(description_);
  Explanation explanation = explain_once({&blob}, question).at(0);
  Question same = question;
  same.memories.clear();
  std::vector<HeatMap> of_targets;
  for (const ClassScore& target : explanation.targets) {
    if (description_.task == Task::kRegression) {
      using Push = TargetChoice::Push;  // what speaks for the value as it is must not turn round
      if (same.target.push == Push::kKeep) {
        same.target.push = target.score < 0 ? Push::kDown : Push::kUp;
      }
    } else {
      same.target = {.index = target.index};
    }
    same.target.automatic = false;
    std::vector<HeatMap> heats;
    for (const Variant& variant : variants()) {
      const Blob changed = varied(blob, variant, normalisation);
      heats.push_back(explain_once({&changed}, same).at(0).heat);
    }
    of_targets.push_back(mean_of(heats));
  }
  if (!of_targets.empty()) explanation.heat = merge_heats(std::move(of_targets));
  return explanation;
}

Reading Explainer::reading_of(const Question& question, const Method& method,
                              std::size_t picture) const {
  Reading reading;
  reading.target = question.target;
  reading.leads = method.needs.rivals;
  reading.reference = reference_;
  if (!question.memories.empty()) reading.memory = question.memories.at(picture);
  reading.hysteresis = options_.hysteresis;
  reading.region = options_.region;
  return reading;
}

std::vector<Explanation> Explainer::explain_once(const std::vector<const Blob*>& blobs,
                                                 const Question& question) {
  Run run{blobs, question, find_method(method_of(question)), pixels_of(blobs, description_)};
  std::optional<PlainAttention> plain;
  if (run.method.needs.curvature) plain.emplace();
  run.result = parts_->chosen.engine->run(run.pixels);
  run.outputs = to_map(run.result.output.detach().flatten(1));
  std::vector<Explanation> explanations = judge_all(run);

  std::vector<std::vector<HeatMap>> heats(blobs.size());
  const std::size_t most = run.most_aims();
  for (std::size_t k = 0; k < most; ++k) {
    std::vector<Seed> seeds;
    for (std::size_t n = 0; n < blobs.size(); ++n) {
      const Aim* const aim = run.aim(n, k);
      seeds.push_back(aim != nullptr ? aim->scalar.seed(run.output(n)) : Seed{});
    }
    const Slopes slopes = parts_->slopes(run.result, seeds, run.method, /*more=*/k + 1 < most);
    const at::NoGradGuard no_grad;
    for (std::size_t n = 0; n < blobs.size(); ++n) {
      if (run.aim(n, k) == nullptr) continue;
      heats[n].push_back(heat_of(run, n, k, slopes, seeds[n], explanations[n].strength));
    }
  }
  for (std::size_t n = 0; n < blobs.size(); ++n) {
    if (options_.guided && !heats[n].empty()) explanations[n].guided = guided_of(run, n);
    explanations[n].heat = heats[n].empty() ? no_heat(*blobs[n]) : merge_heats(std::move(heats[n]));
  }
  return explanations;
}

/// Fills `run.verdicts`; the explanations as far as outputs alone give them.
std::vector<Explanation> Explainer::judge_all(Run& run) const {
  const std::vector<std::int64_t> shape = parts_->chosen.engine->output_shape();
  std::vector<Explanation> explanations;
  for (std::size_t n = 0; n < run.blobs.size(); ++n) {
    Verdict& verdict = run.verdicts.emplace_back(
        judge({run.output(n), shape}, description_, reading_of(run.question, run.method, n)));
    if (run.question.randomised) randomise(verdict.aims, run.outputs.width);
    Explanation& explanation = explanations.emplace_back(told_of(verdict));
    explanation.method = run.method.name;
    explanation.layers = layers_;
    explanation.engine = parts_->chosen.engine->name();
    explanation.is_value = description_.task == Task::kRegression;
  }
  return explanations;
}

/// The heat of one thing in one picture. `strength` becomes at least the largest value of its maps.
HeatMap Explainer::heat_of(const Run& run, std::size_t n, std::size_t k, const Slopes& slopes,
                           const Seed& seed, float& strength) {
  const Method& method = run.method;
  const Aim& aim = *run.aim(n, k);
  const auto at = static_cast<std::int64_t>(n);
  std::vector<HeatMap> maps;
  const std::size_t layers = method.needs.layer ? run.result.activations.size() : 1;
  for (std::size_t i = 0; i < layers; ++i) {
    MethodInput input = parts_->input(run, i, at, aim.scalar, description_.tokens);
    if (method.needs.gradient) {
      input.gradient = to_places(slopes.gradients[i][at], description_.tokens);
    }
    if (method.needs.curvature) {
      input.curvature = to_places(slopes.curvatures[i][at], description_.tokens);
    }
    if (method.needs.network) {
      parts_->add_network(input, description_, run, at, aim.scalar, seed);
    }
    input.score = aim.scalar.value(run.output(n));
    input.input_height = description_.input_height;
    input.input_width = description_.input_width;
    maps.push_back(to_map(map_of(method, input, smooths(options_, "eigen"))));
    HeatMap& map = maps.back();
    if (method.free_sign && !run.question.memories.empty()) {
      align_sign(map, run.question.memories.at(n)->signs[{layers_.at(i), k}]);
    }
    strength = std::max(strength, *std::max_element(map.values.begin(), map.values.end()));
  }
  HeatMap heat = to_heat(maps, options_.style, description_.input_height, description_.input_width);
  if (!aim.box || !options_.inside) return heat;
  return inside_boxes(heat, {*aim.box}, description_.input_height, description_.input_width);
}

/// Of all that is explained in one picture together.
InputGradient Explainer::guided_of(const Run& run, std::size_t n) {
  Seed all;
  for (const Aim& aim : run.verdicts[n].aims) {
    const Seed seed = aim.scalar.seed(run.output(n));
    all.insert(all.end(), seed.begin(), seed.end());
  }
  WholeNetwork& whole = parts_->whole_network(description_);
  const at::Tensor pixels = run.pixels.narrow(0, static_cast<std::int64_t>(n), 1);
  const at::Tensor gradient = whole.guided_gradient(whole.input_of(pixels), all);
  const bool bgr = description_.color == ColorOrder::kBgr;
  InputGradient result;
  for (std::size_t plane = 0; plane < 3; ++plane) {
    result.planes.at(plane) = to_map(gradient[static_cast<std::int64_t>(bgr ? plane : 2 - plane)]);
  }
  return result;
}

std::vector<float> Explainer::output_of(const Blob& blob) {
  const HeatMap output =
      to_map(parts_->chosen.engine->forward_only(pixels_of({&blob}, description_)).flatten(1));
  return {output.values.begin(), output.values.end()};
}

std::vector<float> Explainer::forward_only(const Blob& blob) {
  return activated(output_of(blob), description_.activation);
}

void Explainer::set_reference(const Blob& blob) {
  reference_ = std::make_shared<const std::vector<float>>(output_of(blob));
}

}  // namespace gradcam
