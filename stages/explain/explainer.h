#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/description.h"
#include "stages/explain/engine_trial.h"
#include "stages/explain/explanation.h"
#include "stages/explain/targets.h"
#include "stages/preprocess/blob.h"

namespace gradcam {

class Network;

/// Explains one picture at a time. Construct it on any thread; `warm_up`, `explain` and
/// `forward_only` are for one thread at a time, which should be the only one that computes with
/// LibTorch (a second one would start a second OpenMP team that fights the first).
class Explainer {
 public:
  /// `description` says how to read `model`; layers, target, method and style come from `options`.
  /// Throws UserError: kUsage for a layer, label, class, method, engine or precision that is not
  /// there, kModel for a network that cannot run.
  Explainer(const Network& network, ModelDescription description, const ExplainOptions& options,
            Choosing choosing = Choosing::kMeasured);
  ~Explainer();

  /// Sets the number of threads of the calling thread's team, then run_in().
  void warm_up();

  /// Runs the network until it is as fast as it gets: the executor profiles the first runs.
  void run_in();

  /// `blob`: description().input_height x input_width, u8, colour order of the description.
  /// Throws std::runtime_error if the map or the scores are not finite.
  Explanation explain(const Blob& blob) { return explain(blob, target_); }
  /// The same for another target than that of the options.
  Explanation explain(const Blob& blob, const TargetChoice& target);
  /// Several pictures by one call of the engine; what one of them throws, all do.
  std::vector<Explanation> explain(const std::vector<const Blob*>& blobs,
                                   const TargetChoice& target);

  /// Scores of the plain network on the same input, without autograd: what explaining is compared
  /// to.
  std::vector<float> forward_only(const Blob& blob);

  const ModelDescription& description() const { return description_; }
  const std::vector<std::string>& layers() const { return layers_; }
  /// Of the options.
  const TargetChoice& target() const { return target_; }
  int classes() const;
  /// How many pictures one call of the engine is good for: options.batch, or 1 if the network does
  /// not take several.
  int batch() const { return batch_; }
  /// "cpu", "cuda:0".
  const std::string& device() const { return device_; }
  /// "torchscript fp32".
  std::string engine() const;
  /// How the engine was chosen; empty if there was nothing to choose.
  const std::vector<EngineTrial>& engine_trials() const;

 private:
  struct Parts;

  std::vector<float> scores_of(std::span<const float> row) const;
  std::vector<Explanation> judge(const HeatMap& outputs, const TargetChoice& target) const;

  ModelDescription description_;
  ExplainOptions options_;
  std::vector<std::string> layers_;
  TargetChoice target_;
  std::string device_;
  int batch_ = 1;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gradcam
