#include "stages/capture/pictures/rendering.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace gradcam {
namespace {

using Lines = std::vector<std::string>;

struct Told {
  Lines lines;
  Rendering::Tell tell() {
    return [this](const std::string& line) { lines.push_back(line); };
  }
};

/// A row of greys.
template <class T>
StoredPicture row(const std::vector<T>& greys, int depth) {
  StoredPicture picture;
  picture.colours.create(1, static_cast<int>(greys.size()), CV_MAKETYPE(depth, 3));
  for (std::size_t i = 0; i < greys.size(); ++i) {
    auto* const pixel = picture.colours.ptr<T>(0) + 3 * i;
    pixel[0] = pixel[1] = pixel[2] = greys[i];
  }
  return picture;
}

StoredPicture deep(const std::vector<std::uint16_t>& greys) {
  return row<std::uint16_t>(greys, CV_16U);
}
StoredPicture real(const std::vector<float>& greys) { return row<float>(greys, CV_32F); }

std::vector<int> levels(const cv::Mat& frame) {
  EXPECT_EQ(frame.type(), CV_8UC3);
  std::vector<int> found;
  found.reserve(static_cast<std::size_t>(frame.cols));
  for (int x = 0; x < frame.cols; ++x) found.push_back(frame.at<cv::Vec3b>(0, x)[1]);
  return found;
}

using Levels = std::vector<int>;

TEST(Rendering, SixteenBitsAreTakenForTheFewestThatHoldTheLargestNumber) {
  const struct {
    std::uint16_t largest;
    int bits;
  } cases[] = {{1, 10},    {255, 10},   {1023, 10},  {1024, 12}, {4095, 12},
               {4096, 14}, {16383, 14}, {16384, 16}, {65535, 16}};
  for (const auto& [largest, bits] : cases) {
    Told told;
    Rendering rendering({}, told.tell());
    const int shift = bits - 8;
    EXPECT_EQ(
        levels(rendering.render(deep({0, largest, static_cast<std::uint16_t>(largest / 2)}), "p")),
        (Levels{0, largest >> shift, largest / 2 >> shift}))
        << largest;
    ASSERT_EQ(told.lines.size(), bits == 16 ? 0U : 1U) << largest;
    if (bits == 16) continue;
    EXPECT_NE(told.lines[0].find("p holds 16-bit numbers up to " + std::to_string(largest)),
              std::string::npos);
    EXPECT_NE(told.lines[0].find("taken for " + std::to_string(bits) + " bits"), std::string::npos);
  }
}

TEST(Rendering, PicturesOfOneSourceAreTakenForAsManyBits) {
  Told told;
  Rendering rendering({}, told.tell());
  EXPECT_EQ(levels(rendering.render(deep({0}), "black")), Levels{0});
  EXPECT_EQ(told.lines.size(), 0U);
  EXPECT_EQ(levels(rendering.render(deep({4000}), "bright")), Levels{250});
  EXPECT_EQ(levels(rendering.render(deep({800}), "dark")), Levels{50});
  EXPECT_EQ(told.lines.size(), 1U);
  EXPECT_EQ(levels(rendering.render(deep({16000}), "brighter")), Levels{250});
  EXPECT_EQ(levels(rendering.render(deep({4000}), "bright")), Levels{62});
  EXPECT_EQ(told.lines.size(), 2U);
}

TEST(Rendering, FloatNumbersAreFromNoughtToOne) {
  Told told;
  Rendering rendering({}, told.tell());
  EXPECT_EQ(levels(rendering.render(real({0, 0.2F, 1, 0.5F}), "p")), (Levels{0, 51, 255, 128}));
  EXPECT_EQ(levels(rendering.render(real({0.2F, 0.4F}), "p")), (Levels{51, 102}));
  EXPECT_EQ(told.lines, Lines{});
}

TEST(Rendering, OtherFloatNumbersAreShownByTheirOwnRange) {
  Told told;
  Rendering rendering({}, told.tell());
  EXPECT_EQ(levels(rendering.render(real({60, 220, 140, 92}), "p")), (Levels{0, 255, 128, 51}));
  ASSERT_EQ(told.lines.size(), 1U);
  EXPECT_NE(told.lines[0].find("p holds numbers from 60 to 220"), std::string::npos);
  // The next picture of the source by the same range, which grows.
  EXPECT_EQ(levels(rendering.render(real({92, 140}), "q")), (Levels{51, 128}));
  EXPECT_EQ(levels(rendering.render(real({-100, 220}), "r")), (Levels{0, 255}));
  EXPECT_EQ(levels(rendering.render(real({60}), "p")), Levels{128});
  EXPECT_EQ(told.lines.size(), 1U);
}

TEST(Rendering, WhatIsNoNumberIsBlack) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Rendering rendering;
  EXPECT_EQ(levels(rendering.render(real({kNan, 10, 20, kInfinity, -kInfinity}), "p")),
            (Levels{0, 0, 255, 255, 0}));
  EXPECT_EQ(levels(Rendering().render(real({kNan, kNan}), "p")), (Levels{0, 0}));
  EXPECT_EQ(levels(Rendering().render(real({5, 5}), "p")), (Levels{0, 0}));
}

TEST(Rendering, WhiteAtZeroIsTurnedAfterTheBitsAreKnown) {
  StoredPicture picture = deep({0, 4095, 1024});
  picture.white_is_zero = true;
  EXPECT_EQ(levels(Rendering().render(picture, "p")), (Levels{255, 0, 191}));
}

/// A red picture of 10x10 whose first `count` pixels have this alpha; the others are opaque.
StoredPicture red(int count, int alpha) {
  StoredPicture picture;
  picture.colours = cv::Mat(10, 10, CV_8UC3, cv::Scalar(0, 0, 200));
  picture.alpha = cv::Mat(10, 10, CV_8UC1, cv::Scalar(255));
  for (int i = 0; i < count; ++i) {
    picture.alpha.at<std::uint8_t>(i / 10, i % 10) = static_cast<std::uint8_t>(alpha);
  }
  return picture;
}

TEST(Rendering, AlphaIsDroppedAndWhatViewersHideIsToldOnce) {
  Told told;
  Rendering rendering({}, told.tell());
  const cv::Mat frame = rendering.render(red(30, 0), "a.png");
  EXPECT_EQ(frame.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 200));
  rendering.render(red(40, 0), "b.png");
  ASSERT_EQ(told.lines.size(), 1U);
  EXPECT_NE(told.lines[0].find("a.png: 30 % of it is transparent"), std::string::npos);
  EXPECT_NE(told.lines[0].find("--background"), std::string::npos);
}

TEST(Rendering, NothingIsToldWhereNothingIsHidden) {
  Told told;
  Rendering rendering({}, told.tell());
  rendering.render(red(0, 0), "opaque");
  rendering.render(red(100, 200), "nearly opaque");
  EXPECT_EQ(told.lines, Lines{});
  Rendering on_white(Colour{255, 255, 255}, told.tell());
  on_white.render(red(50, 0), "on a background");
  EXPECT_EQ(told.lines, Lines{});
}

TEST(Rendering, LaysThePictureOnTheBackground) {
  Rendering rendering(Colour{10, 100, 250});
  EXPECT_EQ(rendering.render(red(1, 0), "").at<cv::Vec3b>(0, 0), cv::Vec3b(250, 100, 10));
  EXPECT_EQ(rendering.render(red(1, 255), "").at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 200));
  // 51 of 255 is a fifth: 200 / 5 + 10 * 4 / 5 and so on.
  EXPECT_EQ(rendering.render(red(1, 51), "").at<cv::Vec3b>(0, 0), cv::Vec3b(200, 80, 48));
  EXPECT_EQ(rendering.render(red(1, 51), "").at<cv::Vec3b>(9, 9), cv::Vec3b(0, 0, 200));
}

}  // namespace
}  // namespace gradcam
