#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/engine_table.h"

namespace gradcam {

struct FeatureValues {
  /// What the head takes: the activation of the target layer, float [N, C, h, w], then the rest:
  /// float, and where the network counts or asks, int64 and bool.
  std::vector<at::Tensor> head;
  /// [N, classes], the output of the whole network; undefined where the features do not give it.
  at::Tensor output;
  /// Activations of the target layers in the head, where they give the output, too.
  std::vector<at::Tensor> inner{};
};

/// The part of a network in front of the cut. No gradient passes through it, so it may run on
/// anything.
class Features {
 public:
  virtual ~Features() = default;
  /// `pixels`: u8 [N, H, W, 3] on the CPU, contiguous. All results are new tensors.
  virtual FeatureValues run(const at::Tensor& pixels) = 0;
  /// False where it computes on threads of its own, while those of LibTorch sleep.
  virtual bool wakes_torch_threads() const { return true; }
  virtual Precision precision() const { return Precision::kFp32; }
  /// Its engine and number format: "openvino bf16".
  virtual std::string name() const = 0;
};

/// Features that were made of SplitGraph::whole, whose last results are `inner` activations and the
/// output.
class WholeFeatures : public Features {
 public:
  WholeFeatures(std::unique_ptr<Features> features, std::size_t inner)
      : features_(std::move(features)), inner_(inner) {}

  FeatureValues run(const at::Tensor& pixels) override {
    FeatureValues values = features_->run(pixels);
    values.output = std::move(values.head.back());
    values.head.pop_back();
    const auto inner = values.head.end() - static_cast<std::ptrdiff_t>(inner_);
    values.inner.assign(inner, values.head.end());
    values.head.erase(inner, values.head.end());
    return values;
  }
  bool wakes_torch_threads() const override { return features_->wakes_torch_threads(); }
  Precision precision() const override { return features_->precision(); }
  std::string name() const override { return features_->name(); }

 private:
  std::unique_ptr<Features> features_;
  std::size_t inner_;
};

}  // namespace gradcam
