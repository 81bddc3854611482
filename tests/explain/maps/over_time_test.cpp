#include "stages/explain/maps/over_time.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gradcam {
namespace {

using std::chrono::milliseconds;

Explanation with_heat(float first, float second) {
  Explanation explanation;
  explanation.method = "gradcam";
  explanation.layers = {"layer"};
  explanation.heat = {1, 2, {first, second}};
  return explanation;
}

TEST(OverTime, FlickerIsTheMeanChangeOfTheHeat) {
  OverTime stream(false);
  Explanation first = with_heat(0, 1);
  stream.apply(first, milliseconds(0));
  EXPECT_FALSE(first.flicker.has_value());
  Explanation second = with_heat(0.5F, 0);
  stream.apply(second, milliseconds(40));
  EXPECT_NEAR(second.flicker.value(), 0.75, 1e-6);
  EXPECT_EQ(second.heat.values[0], 0.5F);  // not smoothed
}

TEST(OverTime, StepComesThroughBy63PercentAfterTheTimeConstant) {
  OverTime stream(true);
  Explanation first = with_heat(0, 1);
  stream.apply(first, milliseconds(0));
  Explanation second = with_heat(1, 1);
  stream.apply(second, OverTime::kTimeConstant);
  EXPECT_NEAR(second.heat.values[0], 1 - std::exp(-1.0), 1e-5);
  EXPECT_NEAR(second.heat.values[1], 1, 1e-6);
  EXPECT_NEAR(second.flicker.value(), 0.5, 1e-6);  // of the heat as the network gave it
}

TEST(OverTime, TheFrameRateDoesNotMatter) {
  OverTime slow(true);
  OverTime fast(true);
  for (OverTime* stream : {&slow, &fast}) {
    Explanation start = with_heat(0, 0);
    stream->apply(start, milliseconds(0));
  }
  Explanation of_slow = with_heat(1, 1);
  slow.apply(of_slow, milliseconds(120));
  Explanation of_fast;
  for (int ms : {40, 80, 120}) {
    of_fast = with_heat(1, 1);
    fast.apply(of_fast, milliseconds(ms));
  }
  EXPECT_NEAR(of_slow.heat.values[0], of_fast.heat.values[0], 1e-5);
}

TEST(OverTime, AnotherMethodBeginsAnew) {
  OverTime stream(true);
  Explanation first = with_heat(0, 0);
  stream.apply(first, milliseconds(0));
  Explanation second = with_heat(1, 1);
  second.method = "layercam";
  stream.apply(second, milliseconds(40));
  EXPECT_FALSE(second.flicker.has_value());
  EXPECT_EQ(second.heat.values[0], 1);
}

TEST(OverTime, TheSameFrameExplainedAgainIsNotSmoothed) {
  OverTime stream(true);
  Explanation first = with_heat(0, 1);
  stream.apply(first, milliseconds(40));
  Explanation again = with_heat(1, 0);  // for another class
  stream.apply(again, milliseconds(40));
  EXPECT_EQ(again.heat.values[0], 1);
  EXPECT_FALSE(again.flicker.has_value());
}

TEST(OverTime, TimeThatRunsBackwardsBeginsAnew) {
  OverTime stream(true);
  Explanation first = with_heat(0, 0);
  stream.apply(first, milliseconds(1000));
  Explanation second = with_heat(1, 1);
  stream.apply(second, milliseconds(0));
  EXPECT_EQ(second.heat.values[0], 1);
}

}  // namespace
}  // namespace gradcam
