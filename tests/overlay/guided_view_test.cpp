#include "stages/overlay/guided_view.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace gradcam {
namespace {

const cv::Size kSize(2, 1);
const Mapping kAsItIs{2, 1, {0, 0, 2, 1}, {0, 0, 2, 1}};

/// Two pixels.
InputGradient gradient_of(std::array<std::array<float, 2>, 3> planes) {
  InputGradient gradient;
  for (std::size_t i = 0; i < 3; ++i) {
    gradient.planes.at(i) = {1, 2, {planes.at(i)[0], planes.at(i)[1]}};
  }
  return gradient;
}

TEST(GuidedView, ATenthOfTheRangeForEachStandardDeviation) {
  // Six values of mean 1: one is 6, the others 0; their variance is 36/6 - 1 = 5.
  const cv::Mat picture =
      guided_picture(gradient_of({{{0, 0}, {0, 0}, {6, 0}}}), {}, kAsItIs, kSize);
  ASSERT_EQ(picture.type(), CV_8UC3);
  const double deviation = std::sqrt(5.0);
  const auto low = static_cast<unsigned char>(std::lround(127.5 - 25.5 / deviation));
  const auto high = static_cast<unsigned char>(std::lround(127.5 + 25.5 * 5 / deviation));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 0), cv::Vec3b(low, low, high));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 1), cv::Vec3b(low, low, low));
}

TEST(GuidedView, HeatMultipliesBeforeTheScaling) {
  const cv::Mat map = (cv::Mat_<float>(1, 2) << 1, 0);
  const cv::Mat picture =
      guided_picture(gradient_of({{{0, 9}, {0, -9}, {6, 9}}}), map, kAsItIs, kSize);
  const cv::Mat expected =
      guided_picture(gradient_of({{{0, 0}, {0, 0}, {6, 0}}}), {}, kAsItIs, kSize);
  EXPECT_EQ(cv::norm(picture, expected, cv::NORM_INF), 0);
}

TEST(GuidedView, NoGradientIsGrey) {
  const cv::Mat picture =
      guided_picture(gradient_of({{{0, 0}, {0, 0}, {0, 0}}}), {}, kAsItIs, kSize);
  EXPECT_LE(cv::norm(picture, cv::Mat(kSize, CV_8UC3, cv::Scalar::all(128)), cv::NORM_INF), 1);
}

}  // namespace
}  // namespace gradcam
