#include "stages/explain/layer_maps.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include "config/method_table.h"
#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/graph/all_layers.h"
#include "stages/explain/graph/tokens.h"
#include "stages/explain/maps/heat.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/normalisation.h"
#include "stages/explain/model/tensors.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/explain/option_rules.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

/// A method that asks for no more than activation and gradient.
bool takes_one_run(const Method& method) {
  const Method::Needs& needs = method.needs;
  return needs.layer && !needs.curvature && !needs.tail && !needs.network;
}

const Method& method_for(const ExplainOptions& options, const ModelDescription& description) {
  const bool usual = options.method == "auto";
  const Method& method =
      find_method(usual ? std::string(task_of(description).usual_method) : options.method);
  if (takes_one_run(method)) return method;
  std::vector<std::string> fitting;
  for (const MethodEntry& entry : kMethodTable) {
    if (takes_one_run(find_method(std::string(entry.name)))) fitting.emplace_back(entry.name);
  }
  throw UserError(ExitCode::kUsage, "--method " + std::string(method.name) +
                                        ": takes more than one run of the network for a layer; "
                                        "for all layers at once give " +
                                        listed(fitting));
}

/// The picture's maps, layer by layer.
class Mapper {
 public:
  Mapper(const Network& network, const Explainer& explainer, const ExplainOptions& options);

  LayerMaps map(const Blob& picture, const Blob* reference);

 private:
  std::vector<ExplainedTarget> targets_of(const at::Tensor& output, const Blob* reference) const;
  AllLayers::Run run(const Blob& picture, bool recorded) const;
  void note_places(const AllLayers::Run& run);
  void leave_out_skewed();
  void add_maps(const AllLayers::Run& run, const ExplainedTarget& target);
  void add_map(LayerMap& row, MethodInput input, const at::Tensor& activation,
               const at::Tensor& gradient) const;

  const Explainer& explainer_;
  const ExplainOptions& options_;
  const ModelDescription& description_;
  const Method& method_;
  Normalisation normalisation_;
  LayerMaps result_;
  std::unique_ptr<AllLayers> layers_;
  std::vector<LayerMap*> rows_;  ///< of layers_->names()
};

Mapper::Mapper(const Network& network, const Explainer& explainer, const ExplainOptions& options)
    : explainer_(explainer),
      options_(options),
      description_(explainer.description()),
      method_(method_for(options, description_)),
      normalisation_(description_, network.device()) {
  result_.method = method_.name;
  for (Layer& layer : list_layers(network.model(), description_)) {
    LayerMap& row = result_.layers.emplace_back();
    row.obstacle = layer.obstacle;
    const bool may_have_places = layer.shape.size() == 3 || layer.shape.size() == 4;
    if (row.obstacle.empty() && !may_have_places) row.obstacle = "its output is not spatial";
    row.layer = std::move(layer);
  }
  std::map<std::string, LayerMap*> by_name;
  for (LayerMap& row : result_.layers) {
    if (row.obstacle.empty()) by_name[row.layer.name] = &row;
  }
  layers_ = std::make_unique<AllLayers>(
      network.model(), description_.output,
      [&](const std::string& layer) { return by_name.count(layer) > 0; });
  for (const std::string& name : layers_->names()) rows_.push_back(by_name.at(name));
}

AllLayers::Run Mapper::run(const Blob& picture, bool recorded) const {
  return layers_->run(normalisation_.apply(pixels_of({&picture}, description_)), recorded);
}

std::vector<ExplainedTarget> Mapper::targets_of(const at::Tensor& output,
                                                const Blob* reference) const {
  const HeatMap rows = to_map(output.detach().flatten(1));
  const std::vector<std::int64_t> shape = output.sizes().slice(1).vec();
  ReadingOptions reading;
  reading.target = explainer_.target();
  reading.leads = method_.needs.rivals;
  reading.region = options_.region;
  if (reference != nullptr) {
    const HeatMap like = to_map(run(*reference, /*recorded=*/false).output.flatten(1));
    reading.reference =
        std::make_shared<const std::vector<float>>(like.values.begin(), like.values.end());
  }
  const OutputView view{row_of(rows, 0), shape};
  auto targets = read_output(view, description_, reading).targets;
  if (!targets.empty() || !task_of(description_).boxes) return targets;
  ModelDescription any = description_;
  any.threshold = 0;
  reading.target = TargetChoice();
  targets = read_output(view, any, reading).targets;
  if (targets.size() > 1) targets.erase(targets.begin() + 1, targets.end());
  return targets;
}

/// Which activations can be seen as maps.
void Mapper::note_places(const AllLayers::Run& run) {
  for (std::size_t layer = 0; layer < rows_.size(); ++layer) {
    LayerMap& row = *rows_[layer];
    try {
      const at::Tensor places = to_places(run.activations[layer].detach()[0], description_);
      row.channels = static_cast<int>(places.size(0));
      row.height = static_cast<int>(places.size(1));
      row.width = static_cast<int>(places.size(2));
      if (row.height * row.width == 1) row.obstacle = "its output has one place only";
      if (!places.is_floating_point()) row.obstacle = "its output is no tensor of floats";
    } catch (const std::runtime_error& error) {
      row.obstacle = error.what();
    }
  }
}

/// Where some layers have the proportions of the picture, those that have not are no maps of it: a
/// transformer's queries, [heads, tokens, channels].
void Mapper::leave_out_skewed() {
  std::vector<LayerMap*> skewed;
  bool any = false;
  for (LayerMap* row : rows_) {
    if (!row->obstacle.empty()) continue;
    if (in_proportion(row->height, row->width, description_)) {
      any = true;
    } else if (std::ranges::count(explainer_.layers(), row->layer.name) == 0) {
      skewed.push_back(row);
    }
  }
  if (!any) return;
  for (LayerMap* row : skewed) {
    row->obstacle = "its places are not in the proportions of the picture";
  }
}

/// One more map, of another target. `input`: all but activation and gradient [1, …].
void Mapper::add_map(LayerMap& row, MethodInput input, const at::Tensor& activation,
                     const at::Tensor& gradient) const {
  if (!row.obstacle.empty()) return;
  const at::NoGradGuard no_grad;
  try {
    input.activation = to_places(activation.detach()[0], description_);
    if (gradient.defined()) input.gradient = to_places(gradient.detach()[0], description_);
    row.maps.push_back(to_map(map_of(method_, input, smooths(options_, "eigen"))));
  } catch (const std::exception& error) {
    row.obstacle = torch_reason(error.what());
  }
}

/// The maps of one target at all layers.
void Mapper::add_maps(const AllLayers::Run& run, const ExplainedTarget& target) {
  const HeatMap rows = to_map(run.output.detach().flatten(1));
  MethodInput input;
  input.score = target.scalar.value(row_of(rows, 0));
  input.input_height = description_.input_height;
  input.input_width = description_.input_width;
  const auto add = [&](std::size_t layer, const at::Tensor& gradient) {
    add_map(*rows_[layer], input, run.activations[layer], gradient);
  };
  if (!method_.needs.gradient) {
    for (std::size_t layer = 0; layer < rows_.size(); ++layer) add(layer, {});
    return;
  }
  const std::string broken = AllLayers::gradients(run, target.scalar.seed(row_of(rows, 0)), add);
  for (LayerMap* row : rows_) {
    if (!row->obstacle.empty() || !row->maps.empty()) continue;
    row->obstacle = broken.empty() ? "no gradient reaches it from the output" : broken;
  }
}

LayerMaps Mapper::map(const Blob& picture, const Blob* reference) {
  AllLayers::Run run;
  try {
    run = this->run(picture, method_.needs.gradient);
  } catch (const std::exception& error) {
    throw UserError(ExitCode::kUsage,
                    "--method " + result_.method + ": " + torch_reason(error.what()) +
                        "; methods without a gradient: " + listed(methods_without_gradient()));
  }
  note_places(run);
  leave_out_skewed();
  for (const ExplainedTarget& target : targets_of(run.output, reference)) {
    result_.targets.push_back(target.class_score);
    add_maps(run, target);
  }
  for (LayerMap* row : rows_) {
    if (row->obstacle.empty() && row->maps.empty()) row->obstacle = "nothing is there to explain";
  }
  return std::move(result_);
}

}  // namespace

LayerMaps map_layers(const Network& network, const Explainer& explainer,
                     const ExplainOptions& options, const Blob& picture, const Blob* reference) {
  return Mapper(network, explainer, options).map(picture, reference);
}

HeatMap heat_of(const LayerMap& map, int height, int width) {
  std::vector<HeatMap> heats;
  for (const HeatMap& one : map.maps) {
    heats.push_back(to_heat({one}, Style::kGradcam, height, width));
  }
  return merge_heats(std::move(heats));
}

}  // namespace gradcam
