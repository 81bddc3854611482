#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>

namespace gradcam {

/// Runs a function of [B, …] on many inputs at once where it takes them, else one by one: many
/// exported files are made for one picture, and some give wrong numbers for two without a word.
class Batching {
 public:
  using Function = std::function<at::Tensor(const at::Tensor&)>;

  /// [B, …] → [B, …]. The first call with two or more compares the first two with what each gives
  /// alone. Throws what the function throws on one.
  at::Tensor run(const Function& function, const at::Tensor& inputs);

 private:
  static bool agrees(const Function& function, const at::Tensor& inputs);

  std::optional<bool> takes_many_;
};

}  // namespace gradcam
