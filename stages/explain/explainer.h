#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/engines/engine_trial.h"
#include "stages/explain/tasks/target_choice.h"
#include "stages/frame/blob.h"
#include "stages/frame/description.h"
#include "stages/frame/explanation.h"

namespace gradcam {

class Network;
struct CutResult;
struct Method;
struct StreamMemory;

/// What is asked of a picture.
struct Question {
  TargetChoice target;
  std::string method;  ///< as `--method` takes it; empty = that of the options
  /// What the program remembers of the stream of each picture, one for each. Empty: nothing, and
  /// boxes have no numbers.
  std::vector<StreamMemory*> memories{};
  bool randomised = false;  ///< as if the last layer were random (Faithfulness::randomised)
  std::stop_token stop{};   ///< once it is requested, slow methods throw Stopped

  /// The same of the n-th picture alone.
  Question of_picture(std::size_t n) const {
    Question own = *this;
    if (!memories.empty()) own.memories = {memories.at(n)};
    return own;
  }
};

/// Explains one picture at a time. Construct it on any thread; `warm_up`, `explain` and
/// `forward_only` are for one thread at a time, which should be the only one that computes with
/// LibTorch (a second one would start a second OpenMP team that fights the first).
class Explainer {
 public:
  /// load_explainer() makes one from a file. `description` says how to read `network`; layers,
  /// target, method and style come from `options`. Throws UserError: kUsage for a layer, label,
  /// class, method, engine or precision that is not there, kModel for a network that cannot run;
  /// and Stopped.
  Explainer(const Network& network, ModelDescription description, const ExplainOptions& options,
            Choosing choosing = Choosing::kMeasured, const Waiting& waiting = {});
  ~Explainer();

  /// Sets the number of LibTorch threads of the calling thread to what suits engine and method. The
  /// inference thread calls it before it explains; it costs nothing where the number is right.
  void take_threads() const;

  /// take_threads(), then run_in().
  void warm_up();

  /// Runs the network until it is as fast as it gets: the executor profiles the first runs.
  void run_in();

  /// `blob`: description().input_height x input_width, u8, colour order of the description.
  /// Throws std::runtime_error if the map or the scores are not finite.
  Explanation explain(const Blob& blob) { return explain(blob, {target_, ""}); }
  /// The same for another target and method than those of the options. Throws UserError(kUsage) for
  /// a method that is not there.
  Explanation explain(const Blob& blob, const Question& question);
  /// Several pictures by one call of the engine; what one of them throws, all do.
  std::vector<Explanation> explain(const std::vector<const Blob*>& blobs, const Question& question);

  /// The scores of the plain network on the same input, one for each class (or value), without
  /// autograd: what explaining is compared to.
  std::vector<float> forward_only(const Blob& blob);

  /// Of task embedding: the picture that others are compared with. Must be set before explain().
  void set_reference(const Blob& blob);

  /// Completed by what the network showed.
  const ModelDescription& description() const { return description_; }
  /// What the user should know of that, or of a target that is in doubt; empty = nothing.
  const std::string& note() const { return note_; }
  const std::vector<std::string>& layers() const { return layers_; }
  /// Of the options.
  const TargetChoice& target() const { return target_; }
  /// Classes, labels or values; 0 where the output does not tell.
  int classes() const { return classes_; }
  /// How many pictures one call of the engine is good for: options.batch, or 1 if the network does
  /// not take several.
  int batch() const { return batch_; }
  /// Of the options: what the values of a heat map are.
  Style style() const { return options_.style; }
  /// "cpu", "cuda:0".
  const std::string& device() const { return device_; }
  /// Whether methods that need a gradient can be asked for.
  bool differentiates() const;
  /// "torchscript fp32".
  std::string engine() const;
  /// How the engine was chosen; empty if there was nothing to choose.
  const std::vector<EngineTrial>& engine_trials() const;
  /// The file that remembers the choice since an earlier start; empty if it was made in this one.
  const std::string& choice_file() const;

 private:
  struct Parts;

  std::vector<Explanation> explain_all(const std::vector<const Blob*>& blobs,
                                       const Question& question);
  std::vector<Explanation> explain_once(const std::vector<const Blob*>& blobs,
                                        const Question& question);
  Explanation explain_varied(const Blob& blob, const Question& question);
  void require_fit(const Network& network, const Method& method, const CutResult& result,
                   std::span<const float> output);
  std::vector<float> output_of(const Blob& blob);

  ModelDescription description_;
  ExplainOptions options_;
  std::vector<std::string> layers_;
  TargetChoice target_;
  std::string note_;
  std::string device_;
  int classes_ = 0;
  int batch_ = 1;
  std::shared_ptr<const std::vector<float>> reference_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gradcam
