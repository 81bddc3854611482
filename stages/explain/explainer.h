#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/description.h"
#include "stages/explain/explanation.h"
#include "stages/explain/methods.h"
#include "stages/explain/targets.h"
#include "stages/preprocess/blob.h"

namespace gradcam {

class Model;
class TorchScriptEngine;

/// Explains one picture at a time. Construct it on any thread; `warm_up`, `explain` and
/// `forward_only` are for one thread at a time, which should be the only one that computes with
/// LibTorch (a second one would start a second OpenMP team that fights the first).
class Explainer {
 public:
  /// `description` says how to read `model`; layers, target, method and style come from `options`.
  /// Throws UserError: kUsage for a layer, label, class or method that is not there, kModel for a
  /// network that cannot run.
  Explainer(const Model& model, ModelDescription description, const ExplainOptions& options);
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

  /// Scores of the plain network on the same input, without autograd: what explaining is compared
  /// to.
  std::vector<float> forward_only(const Blob& blob);

  const ModelDescription& description() const { return description_; }
  const std::vector<std::string>& layers() const { return layers_; }
  /// Of the options.
  const TargetChoice& target() const { return target_; }
  int classes() const;
  /// "cpu", "cuda:0".
  std::string device() const;

  /// The activation of each layer, and the gradient of one class's logit with respect to it.
  struct Internals {
    at::Tensor output;
    std::vector<at::Tensor> activations;
    std::vector<at::Tensor> gradients;
  };
  /// `input`: float [1, 3, H, W], normalised. For tests and tools that look inside.
  Internals internals(const at::Tensor& input, int class_index);

 private:
  at::Tensor to_input(const Blob& blob) const;
  std::vector<float> scores_of(const at::Tensor& output) const;

  ModelDescription description_;
  ExplainOptions options_;
  std::vector<std::string> layers_;
  CamMethod method_;
  TargetChoice target_;
  std::unique_ptr<TorchScriptEngine> engine_;
  at::Tensor offset_;  ///< [1, 3, 1, 1]: mean * scale
  at::Tensor factor_;  ///< [1, 3, 1, 1]: 1 / (scale * std)
};

}  // namespace gradcam
