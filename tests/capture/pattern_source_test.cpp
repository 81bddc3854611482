#include "stages/capture/pattern_source.h"

#include <gtest/gtest.h>

#include <vector>

#include "config/user_error.h"

namespace gradcam {
namespace {

Captured take(Source& source) {
  return std::get<Captured>(source.next(std::chrono::milliseconds(0)));
}

bool equal(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF) == 0; }

TEST(PatternSource, PlaysAt30FramesPerSecond) {
  PatternSource source;
  EXPECT_EQ(source.info().width, 640);
  EXPECT_EQ(source.info().height, 480);
  const std::int64_t starts[] = {0, 33333333, 66666666, 100000000};
  for (int i = 0; i < 3; ++i) {
    const Captured captured = take(source);
    EXPECT_EQ(captured.image.size(), cv::Size(640, 480));
    EXPECT_EQ(captured.image.bgr().type(), CV_8UC3);
    EXPECT_EQ(captured.pts.count(), starts[i]);
    EXPECT_EQ((captured.pts + captured.duration).count(), starts[i + 1]);
  }
}

TEST(PatternSource, SizeAndRateAreThoseAskedFor) {
  PatternSource source(parse_pattern("test:322x242@50"));
  take(source);
  const Captured second = take(source);
  EXPECT_EQ(second.image.size(), cv::Size(322, 242));
  EXPECT_EQ(second.pts, std::chrono::milliseconds(20));
}

TEST(ParsePattern, EachPartMayBeLeftOut) {
  const auto format = [](const char* text) {
    const PatternFormat f = parse_pattern(text);
    return std::vector<int>{f.width, f.height, f.frames_per_second};
  };
  EXPECT_EQ(format("test"), (std::vector<int>{640, 480, 30}));
  EXPECT_EQ(format("test:1280x720"), (std::vector<int>{1280, 720, 30}));
  EXPECT_EQ(format("test:@60"), (std::vector<int>{640, 480, 60}));
  EXPECT_EQ(format("test:320x240@15"), (std::vector<int>{320, 240, 15}));
}

TEST(ParsePattern, OtherFormsAreRefusedWithWhatIsAllowed) {
  for (const char* text : {"test:320", "test:320x", "test:8x8", "test:@0", "test:@1001",
                           "test:99999x10", "test:320x240@", "tests", "test:9999999999x480"}) {
    try {
      parse_pattern(text);
      FAIL() << text;
    } catch (const UserError& error) {
      EXPECT_EQ(error.code(), ExitCode::kSource);
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos);
      EXPECT_NE(std::string(error.what()).find("WIDTHxHEIGHT@RATE"), std::string::npos);
    }
  }
}

TEST(PatternSource, SameNumberGivesSamePixels) {
  PatternSource a;
  PatternSource b;
  const Captured first = take(a);
  EXPECT_TRUE(equal(first.image.bgr(), take(b).image.bgr()));
  EXPECT_FALSE(equal(first.image.bgr(), take(a).image.bgr()));
}

TEST(PatternSource, HandedOutPixelsAreNotWrittenAgain) {
  PatternSource source;
  const Captured first = take(source);
  const cv::Mat copy = first.image.bgr().clone();
  take(source);
  EXPECT_TRUE(equal(first.image.bgr(), copy));
}

TEST(PatternSource, NumberIsVisible) {
  // Frames 0 and 160 show the same bars and ball: only the number differs.
  PatternSource source;
  const Captured first = take(source);
  for (int i = 1; i < 160; ++i) take(source);
  cv::Mat difference = first.image.bgr() != take(source).image.bgr();
  EXPECT_GT(cv::countNonZero(difference.reshape(1)), 0);
  difference(cv::Rect(0, 420, 240, 60)).setTo(0);
  EXPECT_EQ(cv::countNonZero(difference.reshape(1)), 0);
}

}  // namespace
}  // namespace gradcam
