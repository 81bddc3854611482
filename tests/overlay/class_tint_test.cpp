#include "stages/overlay/class_tint.h"

#include <gtest/gtest.h>

#include "stages/overlay/box_drawing.h"

namespace gradcam {
namespace {

TEST(ClassTint, EachPlaceHasTheColourOfItsClass) {
  const cv::Mat frame(4, 8, CV_8UC3, cv::Scalar(100, 100, 100));
  const ClassMap classes{1, 2, {0, 3}};
  const cv::Mat result = tinted(frame, classes, {8, 4, {0, 0, 8, 4}, {0, 0, 16, 16}}, {16, 16});
  const auto expected = [](int index) {
    const cv::Scalar color = class_color(index);
    return cv::Vec3b(cv::saturate_cast<std::uint8_t>(60 + 0.4 * color[0]),
                     cv::saturate_cast<std::uint8_t>(60 + 0.4 * color[1]),
                     cv::saturate_cast<std::uint8_t>(60 + 0.4 * color[2]));
  };
  EXPECT_LE(cv::norm(result.at<cv::Vec3b>(1, 3), expected(0), cv::NORM_INF), 1);
  EXPECT_LE(cv::norm(result.at<cv::Vec3b>(1, 4), expected(3), cv::NORM_INF), 1);
}

TEST(ClassTint, WhatTheNetworkDidNotSeeStaysAsItIs) {
  const cv::Mat frame(4, 8, CV_8UC3, cv::Scalar(100, 100, 100));
  const ClassMap classes{1, 1, {2}};
  // The lower half of the frame, as a crop.
  const cv::Mat result = tinted(frame, classes, {8, 4, {0, 2, 8, 2}, {0, 0, 16, 16}}, {16, 16});
  EXPECT_EQ(result.at<cv::Vec3b>(1, 3), cv::Vec3b(100, 100, 100));
  EXPECT_NE(result.at<cv::Vec3b>(2, 3), cv::Vec3b(100, 100, 100));
}

TEST(ClassTint, APlaceOutsideOfAMaskStaysAsItIs) {
  const cv::Mat frame(4, 8, CV_8UC3, cv::Scalar(100, 100, 100));
  const ClassMap mask{1, 2, {ClassMap::kNoClass, 0}};
  const cv::Mat result = tinted(frame, mask, {8, 4, {0, 0, 8, 4}, {0, 0, 16, 16}}, {16, 16});
  EXPECT_EQ(result.at<cv::Vec3b>(1, 3), cv::Vec3b(100, 100, 100));
  EXPECT_NE(result.at<cv::Vec3b>(1, 4), cv::Vec3b(100, 100, 100));
}

}  // namespace
}  // namespace gradcam
