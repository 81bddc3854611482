#include "stages/capture/pattern_source.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

Captured take(Source& source) {
  return std::get<Captured>(source.next(std::chrono::milliseconds(0)));
}

bool equal(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF) == 0; }

TEST(PatternSource, PlaysAt25FramesPerSecond) {
  PatternSource source;
  EXPECT_EQ(source.info().width, 640);
  EXPECT_EQ(source.info().height, 480);
  for (int i = 0; i < 3; ++i) {
    const Captured captured = take(source);
    EXPECT_EQ(captured.image.size(), cv::Size(640, 480));
    EXPECT_EQ(captured.image.type(), CV_8UC3);
    EXPECT_EQ(captured.pts, std::chrono::milliseconds(40 * i));
    EXPECT_EQ(captured.duration, std::chrono::milliseconds(40));
  }
}

TEST(PatternSource, SameNumberGivesSamePixels) {
  PatternSource a;
  PatternSource b;
  const Captured first = take(a);
  EXPECT_TRUE(equal(first.image, take(b).image));
  EXPECT_FALSE(equal(first.image, take(a).image));
}

TEST(PatternSource, HandedOutPixelsAreNotWrittenAgain) {
  PatternSource source;
  const Captured first = take(source);
  const cv::Mat copy = first.image.clone();
  take(source);
  EXPECT_TRUE(equal(first.image, copy));
}

TEST(PatternSource, NumberIsVisible) {
  // Frames 0 and 160 show the same bars and ball: only the number differs.
  PatternSource source;
  const Captured first = take(source);
  for (int i = 1; i < 160; ++i) take(source);
  cv::Mat difference = first.image != take(source).image;
  EXPECT_GT(cv::countNonZero(difference.reshape(1)), 0);
  difference(cv::Rect(0, 420, 240, 60)).setTo(0);
  EXPECT_EQ(cv::countNonZero(difference.reshape(1)), 0);
}

}  // namespace
}  // namespace gradcam
