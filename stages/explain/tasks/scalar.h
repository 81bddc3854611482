#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace gradcam {

/// dS/d(output): the gradient of the explained scalar S with respect to the numbers that the
/// network gives of one picture. Sparse: a class is one of a thousand, a box two of 300 000.
struct SeedTerm {
  std::int64_t index = 0;  ///< in the output of one picture, row by row
  float weight = 1;
};
using Seed = std::vector<SeedTerm>;

/// The scalar S that is explained, as a function of the output of one picture. Pure; any thread.
class Scalar {
 public:
  /// The weighted sum of some numbers of the output.
  static Scalar sum(Seed terms) { return {std::move(terms), Kind::kSum}; }
  /// The product of some numbers of the output; weights do not count.
  static Scalar product(Seed terms) { return {std::move(terms), Kind::kProduct}; }
  /// By how much number `index` leads over the three others that are nearest to it, weighted by
  /// their softmax: FinerCAM (Zhang et al., CVPR 2025), with its alpha of 1.
  static Scalar lead(std::int64_t index) { return {{{index, 1}}, Kind::kLead}; }

  /// The cosine between the whole output and `reference`, of the same length.
  static Scalar cosine(std::shared_ptr<const std::vector<float>> reference);

  double value(std::span<const float> output) const;
  Seed seed(std::span<const float> output) const;

 private:
  enum class Kind { kSum, kProduct, kLead, kCosine };
  Scalar(Seed terms, Kind kind) : terms_(std::move(terms)), kind_(kind) {}

  Seed terms_;
  Kind kind_;
  std::shared_ptr<const std::vector<float>> reference_;
};

}  // namespace gradcam
