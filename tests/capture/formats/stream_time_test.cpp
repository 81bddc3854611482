#include "stages/capture/formats/stream_time.h"

#include <gtest/gtest.h>

#include <vector>

namespace gradcam {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int kMissing = -1;

/// Milliseconds in, milliseconds out, at 40 ms a frame.
std::vector<int> cleaned(const std::vector<int>& raw) {
  PtsCleaner cleaner(milliseconds(40));
  std::vector<int> result;
  for (const int ms : raw) {
    const auto pts =
        cleaner.clean(ms == kMissing ? std::nullopt : std::optional<nanoseconds>(milliseconds(ms)));
    result.push_back(static_cast<int>(pts / milliseconds(1)));
  }
  return result;
}

using Stamps = std::vector<int>;

TEST(PtsCleaner, LeavesGoodStampsAlone) {
  EXPECT_EQ(cleaned({80, 120, 121, 5000}), (Stamps{80, 120, 121, 5000}));
}

TEST(PtsCleaner, FillsMissingStamps) {
  EXPECT_EQ(cleaned({kMissing, kMissing, 80, kMissing}), (Stamps{0, 40, 80, 120}));
}

TEST(PtsCleaner, RepeatedStampDoesNotMoveLaterOnes) {
  EXPECT_EQ(cleaned({0, 40, 40, 80, 120}), (Stamps{0, 40, 80, 81, 120}));
}

TEST(PtsCleaner, ConstantStampsBecomeEven) {
  EXPECT_EQ(cleaned({0, 0, 0, 0}), (Stamps{0, 40, 80, 120}));
}

TEST(PtsCleaner, SmallStepBackIsMovedBehindTheLast) {
  EXPECT_EQ(cleaned({100, 90, 140}), (Stamps{100, 101, 140}));
}

TEST(PtsCleaner, RestartGoesOnWithItsOwnDistances) {
  EXPECT_EQ(cleaned({1000, 1040, 0, 33, 66}), (Stamps{1000, 1040, 1080, 1113, 1146}));
}

TEST(PtsCleaner, SingleBadStampLeavesTheRestAlone) {
  EXPECT_EQ(cleaned({1000, 1040, 3, 1120, 1160}), (Stamps{1000, 1040, 1080, 1120, 1160}));
}

TEST(FrameDuration, IsExactToTheNanosecond) {
  EXPECT_EQ(frame_duration(12.5), milliseconds(80));
  EXPECT_EQ(frame_duration(30000.0 / 1001), nanoseconds(33366667));
  EXPECT_EQ(frame_duration(0), milliseconds(40));
}

TEST(CutShort, ToleratesWhatItIsTold) {
  EXPECT_EQ(cut_short_text(seconds(9), seconds(10), seconds(1)), "");
  EXPECT_EQ(cut_short_text(milliseconds(8900), seconds(10), seconds(1)),
            "ended after 8.9 s of the 10.0 s its container claims");
  EXPECT_EQ(cut_short_text(seconds(5), seconds(0), seconds(0)), "");
}

TEST(CutShort, TellsASingleFrameApart) {
  EXPECT_EQ(cut_short_text(milliseconds(1680), milliseconds(1720), milliseconds(20)),
            "ended after 1.680 s of the 1.720 s its container claims");
}

}  // namespace
}  // namespace gradcam
