#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>

namespace gradcam {

/// Runs a function of [B, …] on many inputs at once if that gives the right numbers, else one by
/// one. Many exported files are made for one picture, and some give wrong numbers for two without
/// an error.
class Batching {
 public:
  using Function = std::function<at::Tensor(const at::Tensor&)>;

  /// [B, …] → [B, …]. The first call with a number of inputs compares so many together with each of
  /// them alone: others than those given, which may be alike. Throws what the function throws on
  /// one.
  at::Tensor run(const Function& function, const at::Tensor& inputs);

 private:
  static bool agrees(const Function& function, const at::Tensor& inputs);

  std::map<std::int64_t, bool> takes_;  ///< by number of inputs
};

}  // namespace gradcam
