#include "stages/explain/tasks/scalar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

namespace gradcam {
namespace {

/// dS/d(output) by central differences, of the numbers that matter.
void expect_gradient(const Scalar& scalar, const std::vector<float>& output, double tolerance) {
  std::map<std::int64_t, double> seed;
  for (const SeedTerm& term : scalar.seed(output)) seed[term.index] += term.weight;
  constexpr float kStep = 1e-2F;
  for (std::size_t i = 0; i < output.size(); ++i) {
    std::vector<float> up = output;
    std::vector<float> down = output;
    up[i] += kStep;
    down[i] -= kStep;
    const double slope = (scalar.value(up) - scalar.value(down)) / (2 * kStep);
    EXPECT_NEAR(seed[static_cast<std::int64_t>(i)], slope, tolerance) << i;
  }
}

TEST(Scalar, SumIsLinear) {
  const Scalar scalar = Scalar::sum({{1, 2}, {3, -1}});
  EXPECT_DOUBLE_EQ(scalar.value(std::vector<float>{9, 5, 9, 4}), 6);
  expect_gradient(scalar, {9, 5, 9, 4}, 1e-3);
}

TEST(Scalar, ProductOfABoxsTwoNumbers) {
  const Scalar scalar = Scalar::product({{4, 1}, {6, 1}});
  const std::vector<float> output{10, 20, 30, 40, 0.5F, 0.1F, 0.8F};
  EXPECT_NEAR(scalar.value(output), 0.4, 1e-6);
  const Seed seed = scalar.seed(output);
  ASSERT_EQ(seed.size(), 2U);
  EXPECT_FLOAT_EQ(seed[0].weight, 0.8F);
  EXPECT_FLOAT_EQ(seed[1].weight, 0.5F);
}

TEST(Scalar, LeadIsTheMeanDifferenceWeightedBySoftmax) {
  // -9 is too far away.
  const std::vector<float> output{2, 1.5F, 1, 0, -9};
  const double a = std::exp(-0.5);
  const double b = std::exp(-1.0);
  const double c = std::exp(-2.0);
  const double expected = (a * 0.5 + b * 1 + c * 2) / (a + b + c);
  EXPECT_NEAR(Scalar::lead(0).value(output), expected, 1e-6);
}

TEST(Scalar, LeadIsDifferentiatedWithItsWeights) {
  expect_gradient(Scalar::lead(0), {2, 1.5F, 1, 0, -9}, 1e-3);
  expect_gradient(Scalar::lead(2), {2, 1.5F, 1, -0.5F, -9, 0.4F}, 1e-3);
}

TEST(Scalar, LeadOfTwoClassesIsTheirDifference) {
  EXPECT_NEAR(Scalar::lead(1).value(std::vector<float>{1, 4}), 3, 1e-6);
  EXPECT_EQ(Scalar::lead(1).seed(std::vector<float>{1, 4}).size(), 2U);
}

TEST(Scalar, LeadOfASingleNumberIsZeroAndNotNan) {
  EXPECT_EQ(Scalar::lead(0).value(std::vector<float>{7}), 0);
  for (const SeedTerm& term : Scalar::lead(0).seed(std::vector<float>{7})) {
    EXPECT_EQ(term.weight, 0);
  }
}

}  // namespace
}  // namespace gradcam
