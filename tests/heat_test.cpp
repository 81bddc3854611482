#include "stages/explain/heat.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace gradcam {
namespace {

at::Tensor map2x2(std::vector<float> values) { return at::tensor(values).view({2, 2}); }

TEST(Heat, MinMaxScalesToZeroAndOne) {
  EXPECT_TRUE(at::allclose(min_max(map2x2({1, 2, 3, 5})), map2x2({0, 0.25F, 0.5F, 1})));
}

TEST(Heat, ZeroMapStaysZero) {
  const at::Tensor heat = to_heat({at::zeros({2, 2})}, Style::kGradcam, 8, 8);
  EXPECT_EQ(heat.abs().max().item<float>(), 0.F);
}

TEST(Heat, ConstantMapHasNoPlaceAboveAnother) {
  EXPECT_EQ(min_max(at::full({2, 2}, 3.F)).abs().max().item<float>(), 0.F);
}

TEST(Heat, NegativeEvidenceIsCutOffBeforeScaling) {
  const at::Tensor heat = to_heat({map2x2({-4, 0, 1, 2})}, Style::kGradcam, 2, 2);
  EXPECT_TRUE(at::allclose(heat, map2x2({0, 0, 0.5F, 1}), 1e-5, 1e-6));
}

TEST(Heat, EnlargesBetweenPixelCentres) {
  // Half-pixel centres: a row 0 1 at width 4 reads 0, 0.25, 0.75, 1.
  const at::Tensor heat = to_heat({map2x2({0, 1, 0, 1})}, Style::kGradcam, 2, 4);
  const at::Tensor row = at::tensor({0.F, 0.25F, 0.75F, 1.F});
  EXPECT_TRUE(at::allclose(heat[0], row, 1e-5, 1e-6));
}

TEST(Heat, SeveralLayersAreAveragedAndScaledAgain) {
  const at::Tensor heat =
      to_heat({map2x2({0, 1, 0, 0}), map2x2({0, 3, 3, 0})}, Style::kGradcam, 2, 2);
  EXPECT_TRUE(at::allclose(heat, map2x2({0, 1, 0.5F, 0}), 1e-5, 1e-6));
}

TEST(Heat, NotebookKeepsSizeAndScale) {
  const at::Tensor heat = to_heat({map2x2({-1, 2, 3, 4})}, Style::kNotebook, 224, 224);
  EXPECT_TRUE(at::equal(heat, map2x2({0, 2, 3, 4})));
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
  EXPECT_EQ(merged.values, (std::vector<float>{1, 1, 0.5F, 0}));
}

}  // namespace
}  // namespace gradcam
