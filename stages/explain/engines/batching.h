#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>

namespace gradcam {

/// Runs a function of [B, …] on many inputs at once if that gives the right numbers, else one by
/// one. Many exported files are made for one picture, and some give wrong numbers for two without
/// an error.
class Batching {
 public:
  using Function = std::function<at::Tensor(const at::Tensor&)>;

  /// [B, …] → [B, …]. The first call with two or more inputs compares the first two together with
  /// each of them alone. Throws what the function throws on one.
  at::Tensor run(const Function& function, const at::Tensor& inputs);

 private:
  static bool agrees(const Function& function, const at::Tensor& inputs);

  std::optional<bool> takes_many_;
};

}  // namespace gradcam
