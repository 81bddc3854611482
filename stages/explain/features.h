#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace gradcam {

/// The part of a network in front of the cut, which needs no gradient and so may run on anything.
class Features {
 public:
  virtual ~Features() = default;
  /// `input`: float [1, 3, H, W], normalised. The activation of the target layer, then what else
  /// the head needs.
  virtual std::vector<at::Tensor> run(const at::Tensor& input) = 0;
  virtual std::string name() const = 0;
};

}  // namespace gradcam
