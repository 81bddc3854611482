#include "stages/explain/layer_switch.h"

#include <utility>

#include "config/engine_table.h"
#include "stages/explain/graph/layers.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/torch_threads.h"
#include "stages/explain/option_rules.h"

namespace gradcam {

LayerSwitch::LayerSwitch(Network network, ModelDescription description,
                         const ExplainOptions& options, const Waiting& waiting)
    : network_(std::move(network)),
      description_(std::move(description)),
      options_(options),
      first_(std::make_shared<Explainer>(network_, description_, options_, Choosing::kMeasured,
                                         waiting)),
      current_(first_) {
  if (first_->layers().size() == 1) ready_[first_->layers()[0]] = first_;
}

void LayerSwitch::turn_to(const std::string& layer) {
  if (layer.empty()) {
    current_ = first_;
    return;
  }
  const std::lock_guard lock(mutex_);
  if (const auto found = ready_.find(layer); found != ready_.end()) {
    current_ = found->second;
  } else if (refused_.count(layer) == 0 && preparing_ != layer) {
    wanted_ = layer;
    start_worker();
  }
}

std::vector<Explanation> LayerSwitch::explain(const std::vector<const Blob*>& blobs,
                                              const Question& question) {
  if (static_cast<int>(blobs.size()) <= current_->batch())
    return current_->explain(blobs, question);
  std::vector<Explanation> explanations;  // this layer's engine takes them one by one
  explanations.reserve(blobs.size());
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    explanations.push_back(current_->explain(*blobs[i], question.of_picture(i)));
  }
  return explanations;
}

void LayerSwitch::set_reference(const Blob& blob) {
  reference_ = blob;
  first_->set_reference(blob);
}

std::vector<std::string> LayerSwitch::layers() {
  const std::lock_guard lock(mutex_);
  if (layers_.empty() && !layers_wanted_) {
    layers_wanted_ = true;
    start_worker();
  }
  return layers_;
}

std::vector<std::string> LayerSwitch::methods() const {
  std::vector<std::string> names = quick_methods(options_, task_of(description_));
  if (!first_->differentiates()) {
    std::erase_if(names,
                  [](const std::string& name) { return find_method(name).differentiates(); });
  }
  return names;
}

bool LayerSwitch::refuses(const std::string& layer) {
  const std::lock_guard lock(mutex_);
  return refused_.count(layer) > 0;
}

std::optional<std::string> LayerSwitch::take_problem() {
  const std::lock_guard lock(mutex_);
  return std::exchange(problem_, std::nullopt);
}

void LayerSwitch::wait_until_prepared() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] {
    return !wanted_ && preparing_.empty() && (!layers_wanted_ || layers_known_);
  });
}

void LayerSwitch::start_worker() {
  if (!worker_.joinable()) {
    worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  }
  asked_.notify_one();
}

void LayerSwitch::work(const std::stop_token& stop) {
  compute_alone();
  std::unique_lock lock(mutex_);
  const auto list = [&] { return layers_wanted_ && !layers_known_; };
  while (asked_.wait(lock, stop, [&] { return list() || wanted_.has_value(); })) {
    if (list()) {
      lock.unlock();
      look_up_layers();
      lock.lock();
      layers_known_ = true;
    } else {
      preparing_ = *std::exchange(wanted_, std::nullopt);
      lock.unlock();
      prepare(preparing_, stop);
      lock.lock();
      preparing_.clear();
    }
    idle_.notify_all();
  }
}

void LayerSwitch::prepare(const std::string& layer, const std::stop_token& stop) {
  try {
    ExplainOptions options = options_;
    options.layers = {layer};
    // What there is at one layer may be missing at this one.
    if (row_of(kEngineTable, options.engine).cpu_only) options.engine = EngineName::kAuto;
    if (row_of(kPrecisionTable, options.precision).one_layer) options.precision = Precision::kAuto;
    auto explainer = std::make_shared<Explainer>(network_, description_, options,
                                                 Choosing::kUntimed, Waiting{{}, stop});
    if (reference_) explainer->set_reference(*reference_);
    explainer->run_in();
    const std::lock_guard lock(mutex_);
    ready_[layer] = std::move(explainer);
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    refused_.insert(layer);
    problem_ = error.what();
  }
}

void LayerSwitch::look_up_layers() {
  std::vector<std::string> names;
  try {
    for (const Layer& layer : list_layers(network_.model(), description_)) {
      if (layer.spatial() && layer.obstacle.empty()) names.push_back(layer.name);
    }
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    problem_ = error.what();
  }
  const std::lock_guard lock(mutex_);
  layers_ = std::move(names);
}

}  // namespace gradcam
