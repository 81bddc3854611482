#include "stages/explain/explainer.h"

#include <ATen/Parallel.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "config/method_table.h"
#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/engines/make_engine.h"
#include "stages/explain/engines/probe.h"
#include "stages/explain/explain_pictures.h"
#include "stages/explain/found_activation.h"
#include "stages/explain/graph/detector_layers.h"
#include "stages/explain/graph/layers.h"
#include "stages/explain/graph/tokens.h"
#include "stages/explain/maps/augmentation.h"
#include "stages/explain/maps/heat.h"
#include "stages/explain/method_inputs.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/network.h"
#include "stages/explain/model/plain_runs.h"
#include "stages/explain/model/start_memory.h"
#include "stages/explain/model/tensors.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/explain/model/torch_threads.h"
#include "stages/explain/option_rules.h"
#include "stages/explain/tasks/class_scores.h"
#include "stages/explain/tasks/targets.h"
#include "stages/explain/tasks/task.h"
#include "stages/frame/stopped.h"

namespace gradcam {
namespace {

constexpr int kWarmUpRuns = 4;

std::vector<std::string> find_layers(const Model& model, const ModelDescription& description) {
  const PlainRuns looked_at_once;
  if (task_of(description).boxes) {
    auto neck = detector_layers(model, description);
    if (!neck.empty()) return neck;
  }
  return {automatic_layer(model, description)};
}

/// A layer that is named twice is one.
std::vector<std::string> without_repeats(const std::vector<std::string>& names) {
  std::vector<std::string> once;
  for (const std::string& name : names) {
    if (std::ranges::find(once, name) == once.end()) once.push_back(name);
  }
  return once;
}

std::vector<std::string> choose_layers(const Network& network, const ModelDescription& description,
                                       const ExplainOptions& options) {
  const auto& asked = options.layers.empty() ? description.layers : options.layers;
  if (!asked.empty() && asked[0] != "auto") return without_repeats(asked);
  const std::string question = "layers of auto? " + key_of(description);
  std::vector<std::string> layers = network.memory().recall_lines(question);
  if (!layers.empty()) return layers;
  layers = find_layers(network.model(), description);
  network.memory().remember_lines(question, layers);
  return layers;
}

/// Throws UserError(kUsage) that says what to do where the method needs a gradient that is not to
/// be had.
void require_gradient(const Engine& engine, const Method& method) {
  const std::string obstacle = engine.gradient_obstacle();
  if (!method.differentiates() || obstacle.empty()) return;
  std::string advice = "; methods without a gradient: " + listed(methods_without_gradient());
  if (obstacle.find("_native_multi_head_attention") != std::string::npos ||
      obstacle.find("_transformer_encoder_layer_fwd") != std::string::npos) {
    advice +=
        "; or export it anew behind torch.backends.mha.set_fastpath_enabled(False), as "
        "scripts/export_model.py does";
  }
  throw UserError(ExitCode::kUsage,
                  "--method " + std::string(method.name) + ": " + obstacle + advice);
}

}  // namespace

/// All that is LibTorch's.
struct Explainer::Parts {
  Parts(const Network& of, const ModelDescription& description)
      : network(of), inputs(network, description) {}

  Network network;
  ChosenEngine chosen{};
  MethodInputs inputs;
};

Explainer::~Explainer() = default;

Explainer::Explainer(const Network& network, ModelDescription description,
                     const ExplainOptions& options, Choosing choosing, const Waiting& waiting)
    : description_(std::move(description)),
      options_(options),
      device_(network.device().str()),
      parts_(std::make_unique<Parts>(network, description_)) {
  compute_alone();
  if (options.confidence > 0) description_.threshold = options.confidence;
  if (options_.method == "auto") options_.method = task_of(description_).usual_method;
  const Method& method = find_method(options_.method);
  require_fitting(options_, method, description_, network.has_model() ? "" : network.path());
  layers_ = choose_layers(network, description_, options);
  throw_if_stopped(waiting.stop);
  parts_->chosen = make_engine(network, layers_, description_, options, choosing, waiting);
  throw_if_stopped(waiting.stop);
  require_gradient(*parts_->chosen.engine, method);
  const auto shape = parts_->chosen.engine->output_shape();
  if (task_of(description_).complete != nullptr)
    task_of(description_).complete(description_, shape);
  classes_ = classes_of(description_, shape, network.path());
  target_ = parse_target(options.target, task_of(description_), description_.labels, classes_);
  const CutResult first = parts_->chosen.engine->run(probe_pixels(description_));
  const HeatMap outputs = to_map(first.output.detach().flatten(1));
  require_fit(network, method, first, row_of(outputs, 0));
  note_ = find_activation(network, *parts_->chosen.engine, row_of(outputs, 0), description_);
  if (const std::string doubt = doubt_of(options.target, description_.labels); !doubt.empty()) {
    note_ += (note_.empty() ? "" : "; ") + doubt;
  }
  if (options.batch > 1) {
    batch_ = largest_batch(*parts_->chosen.engine, probe_pixels(description_), options.batch);
  }
  // Loaded here, not in front of the first frame.
  if (method.needs.network) parts_->inputs.whole_network();
  if (options_.guided) parts_->inputs.whole_network().require_relu();
}

/// Throws UserError(kUsage) for a layer whose activation is no map of places, or whose tail is not
/// to be had apart where the method wants that; kModel for an output that is not as the description
/// says.
void Explainer::require_fit(const Network& network, const Method& method, const CutResult& result,
                            std::span<const float> output) {
  Engine& engine = *parts_->chosen.engine;
  for (std::size_t i = 0; i < result.activations.size(); ++i) {
    try {
      to_places(result.activations[i].detach()[0], description_);
    } catch (const std::runtime_error& error) {
      throw UserError(ExitCode::kUsage, "layer " + layers_.at(i) + ": " + error.what());
    }
    if (method.needs.tail) engine.tail(result, i, 0);
  }
  if (task_of(description_).check == nullptr) return;
  const std::vector<std::int64_t> shape = engine.output_shape();
  try {
    task_of(description_).check({output, shape}, description_);
  } catch (const std::runtime_error& error) {
    throw UserError(ExitCode::kModel, "model '" + network.path() + "': " + error.what());
  }
}

bool Explainer::differentiates() const {
  return parts_->chosen.engine->gradient_obstacle().empty();
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
  Blob grey{height, width, {}, description_.channels()};
  grey.pixels.assign(static_cast<std::size_t>(height) * width * grey.channels, 127);
  for (std::size_t i = 0; i < grey.pixels.size(); i += 7) grey.pixels[i] = 200;
  // Of a method that takes seconds the engine gets warm by another one.
  const bool quick = cost_of(options_.method) == MethodCost::kFrame;
  const Question question{target_, quick ? "" : differentiates() ? "gradcam" : "eigencam"};
  for (int i = 0; i < kWarmUpRuns; ++i) {
    explain(grey, question);
    if (task_of(description_).boxes && differentiates()) {  // there is no box to explain in grey
      Engine& engine = *parts_->chosen.engine;
      engine.gradients(engine.run(pixels_of({&grey}, description_)), {Seed{SeedTerm{}}}, false);
    }
    if (batch_ > 1) explain({static_cast<std::size_t>(batch_), &grey}, question);
  }
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
    same.target = task_of(description_).same_target(question.target, target);
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

std::vector<Explanation> Explainer::explain_once(const std::vector<const Blob*>& blobs,
                                                 const Question& question) {
  const ExplainSetup setup{description_,           options_,      layers_, reference_,
                           *parts_->chosen.engine, parts_->inputs};
  return explain_pictures(blobs, question, setup);
}

std::vector<float> Explainer::output_of(const Blob& blob) {
  const HeatMap output =
      to_map(parts_->chosen.engine->forward_only(pixels_of({&blob}, description_)).flatten(1));
  return {output.values.begin(), output.values.end()};
}

std::vector<float> Explainer::forward_only(const Blob& blob) {
  return scores_of(output_of(blob), description_);
}

void Explainer::set_reference(const Blob& blob) {
  reference_ = std::make_shared<const std::vector<float>>(output_of(blob));
}

}  // namespace gradcam
