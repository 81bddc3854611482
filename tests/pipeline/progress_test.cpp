#include "pipeline/progress.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace gradcam {
namespace {

using std::chrono::milliseconds;

const Clock::time_point kStart{std::chrono::hours(1)};

SourceInfo source(const std::string& name, std::optional<std::int64_t> frames) {
  SourceInfo info;
  info.name = name;
  info.frames = frames;
  return info;
}

/// A frame that was captured 40 ms before it is shown `at` after the start.
void show(Progress& progress, milliseconds at, int stream = 0) {
  Rendered frame;
  frame.explained.prepared.frame.stream = stream;
  frame.explained.prepared.frame.captured_at = kStart + at - milliseconds(40);
  progress.shown(frame, kStart + at);
}

/// What three frames in five seconds print.
std::string said_of(const std::vector<SourceInfo>& sources, std::int64_t limit, bool terminal) {
  Progress progress(sources, limit, terminal);
  ::testing::internal::CaptureStderr();
  for (const int ms : {0, 2500, 5000}) show(progress, milliseconds(ms));
  return ::testing::internal::GetCapturedStderr();
}

TEST(Progress, BarOnATerminalIsRedrawnFiveTimesASecond) {
  Progress progress({source("a", 10)}, 0, true);
  ::testing::internal::CaptureStderr();
  show(progress, milliseconds(0));
  show(progress, milliseconds(500));
  show(progress, milliseconds(600));  // too soon
  progress.finish(kStart + milliseconds(1000));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "\r[######                        ] 2/10  2.0 frames/s  0:04 left  "
            "\r[#########                     ] 3/10  2.0 frames/s  0:04 left  \n");
}

TEST(Progress, BarGivesWayToTheFiguresInANarrowTerminal) {
  EXPECT_EQ(bar_line(0.5, "1/2", 0), "[###############               ] 1/2");
  EXPECT_EQ(bar_line(0.5, "1/2", 200).size(), 36U);
  EXPECT_EQ(bar_line(0.5, "1/2", 17), "[#####     ] 1/2");
  EXPECT_EQ(bar_line(0.5, "1/2", 8), "1/2");
  EXPECT_EQ(bar_line(0.5, "1/2", 3), "1/");
}

TEST(Progress, ALineEveryFiveSecondsElsewhere) {
  EXPECT_EQ(said_of({source("a", 100)}, 0, false), "3 of 100 frames, 0.4 frames/s, 4:03 left\n");
}

TEST(Progress, TimeLeftGoesByTheRateOfTheWholeRun) {
  Progress progress({source("a", 31)}, 0, false);
  ::testing::internal::CaptureStderr();
  show(progress, milliseconds(0));
  show(progress, milliseconds(4000));  // 1/4 frames/s
  show(progress, milliseconds(5000));  // 1 frame/s, 2 in 5 s since the first
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "3 of 31 frames, 1.0 frames/s, 1:10 left\n");  // 28 / (2 / 5)
}

TEST(Progress, UnknownLengthIsLinesWithoutTimeLeft) {
  EXPECT_EQ(said_of({source("a", std::nullopt)}, 0, false), "3 frames, 0.4 frames/s\n");
  EXPECT_EQ(said_of({source("a", std::nullopt)}, 0, true), "3 frames, 0.4 frames/s\n");
  EXPECT_EQ(said_of({source("a", 5), source("b", std::nullopt)}, 0, false),
            "3 frames, 0.4 frames/s\n");
}

TEST(Progress, LimitIsTheLengthOfEachLongerSource) {
  EXPECT_EQ(said_of({source("a", 100)}, 4, false), "3 of 4 frames, 0.4 frames/s, 0:03 left\n");
  EXPECT_EQ(said_of({source("a", std::nullopt)}, 4, false),
            "3 of 4 frames, 0.4 frames/s, 0:03 left\n");
  EXPECT_EQ(said_of({source("a", 100), source("b", 3)}, 4, false),
            "3 of 7 frames, 0.4 frames/s, 0:10 left\n");
}

/// What ten frames `step` apart print, of a film that claims 1000 frames at 100 a second.
std::string said_of_steps(milliseconds step, std::int64_t limit = 0) {
  SourceInfo film = source("a", 1000);
  film.frames_per_second = 100;
  Progress progress({film}, limit, false);
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 10; ++i) {
    Rendered frame;
    frame.explained.prepared.frame.seq = i;
    frame.explained.prepared.frame.pts = i * step;
    frame.explained.prepared.frame.captured_at = kStart;
    progress.shown(frame, kStart + i * milliseconds(600));
  }
  return ::testing::internal::GetCapturedStderr();
}

TEST(Progress, FramesThatLieFurtherApartThanClaimedAreFewer) {
  EXPECT_EQ(said_of_steps(milliseconds(10)).substr(0, 17), "10 of 1000 frames");
  EXPECT_EQ(said_of_steps(milliseconds(11)).substr(0, 17), "10 of 1000 frames");
  EXPECT_EQ(said_of_steps(milliseconds(200)).substr(0, 21), "10 of about 50 frames");
  EXPECT_EQ(said_of_steps(milliseconds(200), 40).substr(0, 15), "10 of 40 frames");
}

TEST(Progress, ASourceThatGivesMoreThanItClaimedHasNoKnownLength) {
  EXPECT_EQ(said_of({source("a", 2)}, 0, false), "3 frames, 0.4 frames/s\n");
  EXPECT_EQ(said_of({source("a", 2)}, 0, true).find("3/"), std::string::npos);
}

TEST(Progress, FinishSaysNothingWithoutABar) {
  Progress progress({source("a", 10)}, 0, true);
  ::testing::internal::CaptureStderr();
  show(progress, milliseconds(0));
  progress.finish(kStart + milliseconds(1));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, RateIsThatOfEachStreamOverAboutASecond) {
  Progress progress({source("a", 1000), source("b", 1000)}, 0, false);
  EXPECT_EQ(progress.rate(0).frames_per_second, 0);
  for (int ms = 0; ms <= 1000; ms += 250) show(progress, milliseconds(ms));
  for (int ms = 600; ms <= 1600; ms += 500) show(progress, milliseconds(ms), 1);
  EXPECT_EQ(progress.rate(0).frames_per_second, 4);
  EXPECT_EQ(progress.rate(1).frames_per_second, 2);
  for (int ms = 1500; ms <= 2000; ms += 500) show(progress, milliseconds(ms));
  EXPECT_EQ(progress.rate(0).frames_per_second, 2);
}

TEST(Progress, LatencyIsOfTheLastPeriodAndAtFirstOfTheNewestFrame) {
  Progress progress({source("a", 1000)}, 0, false);
  const auto shown_after = [&](int at_ms, int latency_ms, std::int64_t dropped) {
    Rendered rendered;
    Frame& frame = rendered.explained.prepared.frame;
    frame.captured_at = kStart + milliseconds(at_ms - latency_ms);
    frame.dropped_before = dropped;
    progress.shown(rendered, kStart + milliseconds(at_ms));
  };
  shown_after(0, 90, 2);
  EXPECT_EQ(progress.rate(0).latency_p50_ms, 90);
  EXPECT_EQ(progress.rate(0).latency_p95_ms, 0);
  for (int i = 1; i <= 19; ++i) shown_after(50 * i, i, 0);
  shown_after(1000, 20, 3);  // the period ends: 90 and 1..20 are 21 frames
  EXPECT_EQ(progress.rate(0).latency_p50_ms, 11);
  EXPECT_EQ(progress.rate(0).latency_p95_ms, 20);
  EXPECT_EQ(progress.rate(0).dropped, 5);
  shown_after(1100, 70, 0);
  EXPECT_EQ(progress.rate(0).latency_p50_ms, 11);
}

}  // namespace
}  // namespace gradcam
