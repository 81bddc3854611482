#include "stages/overlay/text.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

namespace gradcam {
namespace {

/// Box around all pixels that are not black.
cv::Rect inked(const cv::Mat& picture) {
  cv::Mat any;
  cv::reduce(picture.reshape(1, static_cast<int>(picture.total())), any, 1, cv::REDUCE_MAX);
  return cv::boundingRect(any.reshape(1, picture.rows));
}

TEST(ToAscii, AccentsAndTypographyBecomePlain) {
  EXPECT_EQ(to_ascii("tabby, tabby cat"), "tabby, tabby cat");
  EXPECT_EQ(to_ascii("caf\u00e9 \u00c5ngstr\u00f6m \u017bubr"), "cafe Angstrom Zubr");
  EXPECT_EQ(to_ascii("\u2018a\u2019 \u201cb\u201d \u2013 c\u2026"), "'a' \"b\" - c...");
  EXPECT_EQ(to_ascii("two\nlines\t"), "two lines ");
}

TEST(ToAscii, WhatHasNoPlainFormIsOneQuestionMark) {
  EXPECT_EQ(to_ascii("\u732b\U0001F408"), "??");
  EXPECT_EQ(to_ascii("a\xff"), "a?");
  EXPECT_EQ(to_ascii("cut \xe7\x8c"), "cut ??");
}

TEST(LineHeight, GrowsWithTheFrame) {
  EXPECT_EQ(line_height_for({160, 120}), 11);
  EXPECT_EQ(line_height_for({640, 272}), 15);
  EXPECT_EQ(line_height_for({1280, 720}), 22);
  EXPECT_EQ(line_height_for({3840, 2160}), 66);
}

TEST(Fitted, ShortTextStaysWhole) { EXPECT_EQ(fitted("cat", 15, 200), "cat"); }

TEST(Fitted, LongTextLosesItsEnd) {
  const std::string text = "Egyptian cat, a very long label that goes on";
  const std::string part = fitted(text, 15, 100);
  EXPECT_LE(text_width(part, 15), 100);
  EXPECT_GT(text_width(part, 15), 80);
  EXPECT_EQ(part.substr(0, 8), "Egyptian");
  EXPECT_EQ(part.substr(part.size() - 3), "...");
}

TEST(Fitted, OrItsBeginningWhenTheEndMatters) {
  const std::string part = fitted("features.denseblock4.denselayer16.conv2", 15, 100, Keep::kEnd);
  EXPECT_LE(text_width(part, 15), 100);
  EXPECT_EQ(part.substr(0, 3), "...");
  EXPECT_NE(part[3], '.');
  EXPECT_EQ(part.substr(part.size() - 5), "conv2");
}

TEST(Fitted, NothingFitsNowhere) {
  EXPECT_EQ(fitted("cat", 15, 3), "");
  EXPECT_EQ(fitted("cat", 15, -5), "");
}

class TextSizes : public testing::TestWithParam<int> {};

TEST_P(TextSizes, InkStaysInItsLine) {
  const int line = GetParam();
  const std::string text = "|Wgjpqy_,(Q) 78.1 %";
  cv::Mat picture = cv::Mat::zeros(3 * line, 20 * line, CV_8UC3);
  draw_text(picture, text, {line, line}, line, cv::Scalar::all(255));
  const cv::Rect box(line, line, text_width(text, line), line);
  const cv::Rect ink = inked(picture);
  EXPECT_EQ(ink & box, ink) << ink;
  EXPECT_GT(ink.width, box.width * 9 / 10);
  // Strokes reach full colour, so that small text is not grey on grey.
  double brightest = 0;
  cv::minMaxLoc(picture.reshape(1), nullptr, &brightest);
  EXPECT_GT(brightest, 200);
}

INSTANTIATE_TEST_SUITE_P(LineHeights, TextSizes, testing::Values(11, 15, 22, 29, 30, 66));

TEST(DrawText, IsCutAtTheEdgesOfThePicture) {
  cv::Mat picture = cv::Mat::zeros(20, 30, CV_8UC3);
  draw_text(picture, "much too long for this", {20, 10}, 15, cv::Scalar::all(255));
  draw_text(picture, "outside", {-500, -50}, 15, cv::Scalar::all(255));
  EXPECT_GE(inked(picture).x, 20);
}

TEST(DrawPlate, MixesItsColourAndRoundsItsCorners) {
  cv::Mat picture(40, 40, CV_8UC3, cv::Scalar::all(200));
  draw_plate(picture, {5, 5, 30, 30}, {100, 0, 40}, 0.5, 8);
  EXPECT_EQ(picture.at<cv::Vec3b>(20, 20), cv::Vec3b(150, 100, 120));
  EXPECT_EQ(picture.at<cv::Vec3b>(5, 5), cv::Vec3b(200, 200, 200));
  EXPECT_EQ(picture.at<cv::Vec3b>(34, 34), cv::Vec3b(200, 200, 200));
  EXPECT_EQ(picture.at<cv::Vec3b>(20, 4), cv::Vec3b(200, 200, 200));
  EXPECT_EQ(picture.at<cv::Vec3b>(20, 34), cv::Vec3b(150, 100, 120));
}

}  // namespace
}  // namespace gradcam
