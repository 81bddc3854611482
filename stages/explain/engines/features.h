#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "config/engine_table.h"

namespace gradcam {

struct FeatureValues {
  /// What the head takes: the activation of the target layer, float [N, C, h, w], then the rest.
  std::vector<at::Tensor> head;
  /// [N, classes], the output of the whole network; undefined where the features do not give it.
  at::Tensor output;
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

}  // namespace gradcam
