#include "stages/explain/maps/running_peak.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

using std::chrono::milliseconds;

/// The largest value of the heat after scaling.
float scaled(RunningPeak& peak, float strength, milliseconds pts, const char* layer = "layer4",
             const char* method = "gradcam") {
  Explanation explanation;
  explanation.method = method;
  explanation.layers = {layer};
  explanation.strength = strength;
  explanation.heat = {1, 2, {0.5F, 1.0F}};
  peak.scale(explanation, pts);
  EXPECT_FLOAT_EQ(explanation.heat.values[0], explanation.heat.values[1] / 2);
  return explanation.heat.values[1];
}

TEST(RunningPeak, TheFirstMapIsItsOwnMeasure) {
  RunningPeak peak;
  EXPECT_FLOAT_EQ(scaled(peak, 3, milliseconds(500)), 1);
}

TEST(RunningPeak, AWeakerMapIsFainterUntilThePeakHasSunk) {
  RunningPeak peak;
  scaled(peak, 4, milliseconds(0));
  EXPECT_FLOAT_EQ(scaled(peak, 1, milliseconds(1000)), 0.5F);  // the peak is 2 by now
  EXPECT_FLOAT_EQ(scaled(peak, 1, milliseconds(2000)), 1);
  EXPECT_FLOAT_EQ(scaled(peak, 1, milliseconds(9000)), 1);
}

TEST(RunningPeak, AStrongerMapSetsThePeakAtOnce) {
  RunningPeak peak;
  scaled(peak, 1, milliseconds(0));
  EXPECT_FLOAT_EQ(scaled(peak, 8, milliseconds(40)), 1);
  EXPECT_FLOAT_EQ(scaled(peak, 4, milliseconds(40)), 0.5F);
}

TEST(RunningPeak, AnotherLayerBeginsAnew) {
  RunningPeak peak;
  scaled(peak, 100, milliseconds(0));
  EXPECT_FLOAT_EQ(scaled(peak, 1, milliseconds(40), "layer3"), 1);
}

TEST(RunningPeak, AnotherMethodBeginsAnew) {
  RunningPeak peak;
  scaled(peak, 100, milliseconds(0));
  EXPECT_FLOAT_EQ(scaled(peak, 1, milliseconds(40), "layer4", "eigencam"), 1);
}

TEST(RunningPeak, AMapOfZerosStaysZeroAndDoesNotDivideByZero) {
  RunningPeak peak;
  Explanation nothing;
  nothing.heat = {1, 2, {0.0F, 0.0F}};
  peak.scale(nothing, milliseconds(0));
  EXPECT_EQ(nothing.heat.values, (std::pmr::vector<float>{0.0F, 0.0F}));
}

TEST(RunningPeak, TimeThatGoesBackDoesNotRaiseThePeak) {
  RunningPeak peak;
  scaled(peak, 2, milliseconds(1000));
  EXPECT_FLOAT_EQ(scaled(peak, 1, milliseconds(0)), 0.5F);
}

}  // namespace
}  // namespace gradcam
