#include "stages/explain/maps/box_heat.h"

#include <gtest/gtest.h>

#include <vector>

namespace gradcam {
namespace {

/// 1 2 3 4
/// 5 6 7 8
HeatMap counting() { return {2, 4, {1, 2, 3, 4, 5, 6, 7, 8}}; }

std::vector<float> inside(const std::vector<Box>& boxes) {
  const HeatMap heat = inside_boxes(counting(), boxes, 2, 4);
  EXPECT_EQ(heat.height, 2);
  EXPECT_EQ(heat.width, 4);
  return {heat.values.begin(), heat.values.end()};
}

TEST(InsideBoxes, KeepsTheHeatOfTheBoxAlone) {
  EXPECT_EQ(inside({{1, 0, 3, 1}}), (std::vector<float>{0, 2, 3, 0, 0, 0, 0, 0}));
}

TEST(InsideBoxes, APixelBelongsToTheBoxThatHoldsItsCentre) {
  EXPECT_EQ(inside({{0.5F, 0.6F, 1.5F, 2}}), (std::vector<float>{0, 0, 0, 0, 5, 0, 0, 0}));
  EXPECT_EQ(inside({{0.4F, 0, 1.6F, 1}}), (std::vector<float>{1, 2, 0, 0, 0, 0, 0, 0}));
}

TEST(InsideBoxes, SeveralBoxesAddUpWhereTheyOverlapToo) {
  EXPECT_EQ(inside({{0, 0, 2, 1}, {1, 0, 2, 2}}), (std::vector<float>{1, 2, 0, 0, 0, 6, 0, 0}));
}

TEST(InsideBoxes, BoxesMayReachBeyondTheHeat) {
  EXPECT_EQ(inside({{-10, -10, 2, 100}}), (std::vector<float>{1, 2, 0, 0, 5, 6, 0, 0}));
  EXPECT_EQ(inside({{-10, 0, -5, 2}, {9, 0, 12, 2}, {0, 5, 4, 9}}), std::vector<float>(8, 0));
}

TEST(InsideBoxes, OfACoarserHeatTheCellsThatABoxTouches) {
  // Cells of 100 x 100 pixels.
  const HeatMap heat = inside_boxes(counting(), {{110, 120, 130, 130}}, 200, 400);
  EXPECT_EQ(std::vector<float>(heat.values.begin(), heat.values.end()),
            (std::vector<float>{0, 0, 0, 0, 0, 6, 0, 0}));
  const HeatMap two = inside_boxes(counting(), {{150, 0, 210, 90}}, 200, 400);
  EXPECT_EQ(std::vector<float>(two.values.begin(), two.values.end()),
            (std::vector<float>{0, 2, 3, 0, 0, 0, 0, 0}));
}

TEST(InsideBoxes, WithoutBoxesNothingIsLeft) {
  EXPECT_EQ(inside({}), std::vector<float>(8, 0));
  EXPECT_EQ(inside({{3, 2, 1, 0}}), std::vector<float>(8, 0));
}

}  // namespace
}  // namespace gradcam
