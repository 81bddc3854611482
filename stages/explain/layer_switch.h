#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "stages/explain/explainer.h"
#include "stages/explain/model/network.h"

namespace gradcam {

/// One network, explained at a layer that may change while it runs. An explainer for another layer
/// is prepared on a thread of its own (with one LibTorch thread, so that it does not fight the
/// inference thread) while the present one goes on, and is kept: going back costs nothing. All
/// share the weights of one Network as far as folding leaves them alone; of a bundle, other layers
/// run on its TorchScript file.
class LayerSwitch {
 public:
  /// Throws as Explainer does.
  LayerSwitch(Network network, ModelDescription description, const ExplainOptions& options);
  /// Waits for a preparation that is under way (bounded by it).
  ~LayerSwitch() = default;

  /// The explainer of the layers that the options ask for.
  Explainer& first() { return *first_; }

  /// The one that explains.
  Explainer& current() { return *current_; }

  /// From now on `layer` (empty = as the options ask) is explained if it is ready; else the present
  /// one goes on, and `layer` is prepared. One thread at a time, as explain().
  void turn_to(const std::string& layer);

  /// Several pictures, at most first().batch(), go by one call where the layer's engine takes them.
  std::vector<Explanation> explain(const std::vector<const Blob*>& blobs, const Question& question);

  /// As Explainer::set_reference(), for all layers. Before anything is explained.
  void set_reference(const Blob& blob);

  /// Layers that can be chosen, in the order of their call. Empty until they are known: the first
  /// call has them looked up beside. Any thread.
  std::vector<std::string> layers();

  /// Methods that go with the options and are quick enough for each frame. Any thread.
  std::vector<std::string> methods() const;

  /// This layer was asked for and cannot be explained. Any thread.
  bool refuses(const std::string& layer);

  /// Why a layer that was asked for could not be prepared; told once. Any thread.
  std::optional<std::string> take_problem();

 private:
  void work(const std::stop_token& stop);
  void prepare(const std::string& layer);
  void look_up_layers();
  void start_worker();  ///< with mutex_ held

  const Network network_;
  const ModelDescription description_;
  const ExplainOptions options_;
  const std::shared_ptr<Explainer> first_;
  std::shared_ptr<Explainer> current_;
  std::optional<Blob> reference_;  ///< not changed once there is a worker

  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::map<std::string, std::shared_ptr<Explainer>> ready_;
  std::set<std::string> refused_;
  std::optional<std::string> wanted_;  ///< the newest wish counts
  std::string preparing_;              ///< what the worker is at; written with mutex_ held
  bool layers_wanted_ = false;
  std::vector<std::string> layers_;
  std::optional<std::string> problem_;
  std::jthread worker_;  ///< last: it uses all of the above
};

}  // namespace gradcam
