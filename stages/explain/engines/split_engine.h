#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stages/explain/engines/engine.h"
#include "stages/explain/engines/features.h"
#include "stages/explain/graph/head.h"
#include "stages/explain/graph/local_head.h"
#include "stages/explain/graph/split_graph.h"

namespace gradcam {

/// A network in two halves, cut at its target layers: the features run without gradients on
/// whatever is fastest; the head runs by LibTorch, and it alone is differentiated. Where the head
/// has a local form, that is differentiated; where the features then give the output, too, the head
/// itself does not run at all.
class SplitEngine : public Engine {
 public:
  /// `places`: of the target layers, in the order asked for. `probe`: one picture, on which both
  /// halves are tried. `local`: of the same head, or null. Throws what the halves throw, and
  /// std::runtime_error if the output of the head does not depend on the activations.
  SplitEngine(std::unique_ptr<Features> features, Head head, const at::Tensor& probe,
              std::vector<SplitGraph::Place> places = {{false, 0}},
              std::shared_ptr<const LocalHead> local = nullptr);

  Result run(const at::Tensor& pixels) override;
  std::vector<at::Tensor> gradients(const Result& result, const std::vector<Seed>& seeds,
                                    bool more) override;
  std::vector<std::vector<at::Tensor>> gradients_of(
      const Result& result, const std::vector<PictureSeed>& scalars) override;
  std::vector<at::Tensor> curvatures(const Result& result, const std::vector<Seed>& seeds) override;
  /// Throws std::runtime_error where there are several layers.
  Tail tail(const Result& result, std::size_t layer, std::int64_t n) override;
  at::Tensor forward_only(const at::Tensor& pixels) override;
  std::vector<std::int64_t> output_shape() const override { return output_shape_; }
  /// One where the head is small and the features leave LibTorch's threads asleep: to wake them
  /// would cost more than they save.
  int torch_threads(int available) const override { return small_head_ ? 1 : available; }
  Precision precision() const override { return features_->precision(); }
  std::string name() const override { return features_->name(); }

 private:
  FeatureValues features_of(const at::Tensor& pixels);
  Head::Result run_head(const FeatureValues& values);
  Head::Result unrecorded(const FeatureValues& values);
  Result recorded(const Result& result);
  std::vector<at::Tensor> head_inputs(const Result& result) const;
  double head_ms(const FeatureValues& values);

  std::vector<at::Tensor> activations(const FeatureValues& values, const Head::Result& head) const;

  /// What the features gave of the probe, for whoever runs that first.
  struct Probed {
    at::Tensor pixels;
    FeatureValues values;
  };

  std::unique_ptr<Features> features_;
  std::optional<Probed> probed_;
  Head head_;
  std::vector<SplitGraph::Place> places_;
  std::shared_ptr<const LocalHead> local_;
  std::size_t first_ = 0;  ///< how many activations the features give
  std::vector<std::int64_t> output_shape_;
  bool small_head_ = false;
};

}  // namespace gradcam
