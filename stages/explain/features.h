#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace gradcam {

/// The part of a network in front of the cut, which needs no gradient and so may run on anything.
class Features {
 public:
  virtual ~Features() = default;
  /// `pixels`: u8 [N, H, W, 3] on the CPU, contiguous. The activation of the target layer, float
  /// [N, C, h, w], then what else the head needs; all new tensors.
  virtual std::vector<at::Tensor> run(const at::Tensor& pixels) = 0;
  /// Its engine and number format: "openvino bf16".
  virtual std::string name() const = 0;
};

}  // namespace gradcam
