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

/// The explainers of one network, one per layer. One of them explains at a time; which one may
/// change while pictures come. An explainer for a new layer is prepared on a thread of its own, and
/// the present one explains meanwhile. (That thread uses one LibTorch thread, so that it does not
/// fight the inference thread.) Explainers are kept, so that going back costs nothing. They share
/// the weights of the network, but for those that LibTorch folds into others when it freezes a
/// graph. Of a bundle, layers other than its own run on its TorchScript file.
class LayerSwitch {
 public:
  /// Throws as Explainer does.
  LayerSwitch(Network network, ModelDescription description, const ExplainOptions& options,
              const Waiting& waiting = {});
  /// Waits until a preparation that is under way has come to its next step.
  ~LayerSwitch() = default;

  /// The explainer of the layers that the options ask for.
  Explainer& first() { return *first_; }
  /// As Network::let_go(): another layer loads the network again. Before anything is explained.
  void let_go_of_network() const { network_.let_go(); }

  /// The one that explains now.
  Explainer& current() { return *current_; }

  /// Explains at `layer` from now on (empty = as the options ask) if its explainer is ready. If
  /// not, the present one goes on, and that of `layer` is prepared. The same thread as explain().
  void turn_to(const std::string& layer);

  /// As Explainer::explain() of the present explainer. `blobs`: at most first().batch(). Where the
  /// engine of this layer does not take so many at once, they are explained one by one.
  std::vector<Explanation> explain(const std::vector<const Blob*>& blobs, const Question& question);

  /// As Explainer::set_reference(), for all layers. Before anything is explained.
  void set_reference(const Blob& blob);

  /// Layers that can be chosen, in the order in which the network runs them. The first call starts
  /// the look-up on the thread that prepares; the answer is empty until it is done. Any thread.
  std::vector<std::string> layers();

  /// Methods that go with the options and are quick enough for every frame. Any thread.
  std::vector<std::string> methods() const;

  /// Whether this layer was asked for and cannot be explained. Any thread.
  bool refuses(const std::string& layer);

  /// Why the last layer that failed could not be prepared; each failure is told once. Any thread.
  std::optional<std::string> take_problem();

  /// Waits until every layer that was asked for is ready or refused, and layers() knows its answer
  /// if it was called. Any thread.
  void wait_until_prepared();

 private:
  void work(const std::stop_token& stop);
  void prepare(const std::string& layer, const std::stop_token& stop);
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
  std::condition_variable idle_;  ///< nothing is left to prepare
  std::map<std::string, std::shared_ptr<Explainer>> ready_;
  std::set<std::string> refused_;
  std::optional<std::string> wanted_;  ///< the newest wish counts
  std::string preparing_;              ///< what the worker is at; written with mutex_ held
  bool layers_wanted_ = false;
  bool layers_known_ = false;
  std::vector<std::string> layers_;
  std::optional<std::string> problem_;
  std::jthread worker_;  ///< last: it uses all of the above
};

}  // namespace gradcam
