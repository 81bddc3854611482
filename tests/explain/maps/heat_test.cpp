#include "stages/explain/maps/heat.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace gradcam {
namespace {

HeatMap map2x2(std::pmr::vector<float> values) { return {2, 2, std::move(values)}; }

void expect_near(const std::pmr::vector<float>& found, const std::pmr::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5) << i;
}

TEST(Heat, MinMaxScalesToZeroAndOne) {
  expect_near(min_max(map2x2({1, 2, 3, 5})).values, {0, 0.25F, 0.5F, 1});
}

TEST(Heat, ZeroMapStaysZero) {
  const HeatMap heat = to_heat({map2x2({0, 0, 0, 0})}, Style::kGradcam, 8, 8);
  EXPECT_EQ(heat.values, std::pmr::vector<float>(64, 0.F));
}

TEST(Heat, ConstantMapHasNoPlaceAboveAnother) {
  EXPECT_EQ(min_max(map2x2({3, 3, 3, 3})).values, std::pmr::vector<float>(4, 0.F));
}

TEST(Heat, NegativeEvidenceIsCutOffBeforeScaling) {
  expect_near(to_heat({map2x2({-4, 0, 1, 2})}, Style::kGradcam, 2, 2).values, {0, 0, 0.5F, 1});
}

TEST(Heat, CaptumKeepsTheSignAndTakesTheNearest) {
  const HeatMap heat = to_heat({map2x2({-4, 0, 1, 2})}, Style::kCaptum, 2, 4);
  expect_near(heat.values, {-4, -4, 0, 0, 1, 1, 2, 2});
}

TEST(Heat, RawIsEnlargedAndNotScaled) {
  expect_near(to_heat({map2x2({-4, 0, 1, 2})}, Style::kRaw, 2, 4).values,
              {-4, -3, -1, 0, 1, 1.25F, 1.75F, 2});
}

TEST(Heat, EnlargesBetweenPixelCentres) {
  // Half-pixel centres: a row 0 1 at width 4 reads 0, 0.25, 0.75, 1.
  const HeatMap wide = to_heat({map2x2({0, 1, 0, 1})}, Style::kGradcam, 2, 4);
  EXPECT_EQ(std::make_pair(wide.height, wide.width), std::make_pair(2, 4));
  expect_near(wide.values, {0, 0.25F, 0.75F, 1, 0, 0.25F, 0.75F, 1});
  expect_near(to_heat({map2x2({0, 0, 1, 1})}, Style::kGradcam, 4, 2).values,
              {0, 0, 0.25F, 0.25F, 0.75F, 0.75F, 1, 1});
}

TEST(Heat, SeveralLayersAreAveragedAndScaledAgain) {
  expect_near(to_heat({map2x2({0, 1, 0, 0}), map2x2({0, 3, 3, 0})}, Style::kGradcam, 2, 2).values,
              {0, 1, 0.5F, 0});
  expect_near(to_heat({map2x2({0, 0, 0, 0}), map2x2({0, 4, 2, -1})}, Style::kGradcam, 2, 2).values,
              {0, 1, 0.5F, 0});
  const HeatMap nothing =
      to_heat({map2x2({0, 0, 0, 0}), map2x2({-1, 0, 0, 0})}, Style::kGradcam, 2, 1);
  EXPECT_EQ(nothing.values, (std::pmr::vector<float>{0, 0}));
}

TEST(Heat, NotebookKeepsSizeAndScale) {
  const HeatMap heat = to_heat({map2x2({-1, 2, 3, 4})}, Style::kNotebook, 224, 224);
  EXPECT_EQ(heat.height, 2);
  EXPECT_EQ(heat.values, (std::pmr::vector<float>{0, 2, 3, 4}));
}

TEST(Heat, NanAndInfinityAreErrors) {
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity()};
  for (const float value : bad) {
    EXPECT_THROW(to_heat({map2x2({0, value, 0, 0})}, Style::kGradcam, 2, 2), std::runtime_error);
  }
}

TEST(Heat, MergeTakesTheLargestValueAtEachPlace) {
  const HeatMap merged = merge_heats({map2x2({0, 1, 0.5F, 0}), map2x2({1, 0, 0.25F, 0})});
  EXPECT_EQ(merged.height, 2);
  EXPECT_EQ(merged.width, 2);
  EXPECT_EQ(merged.values, (std::pmr::vector<float>{1, 1, 0.5F, 0}));
}

}  // namespace
}  // namespace gradcam
