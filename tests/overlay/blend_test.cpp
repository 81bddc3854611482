#include "stages/overlay/blend.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

cv::Vec3b blended(const cv::Scalar& image, const cv::Scalar& heat, Style style, double opacity) {
  return blend(cv::Mat(2, 3, CV_8UC3, image), cv::Mat(2, 3, CV_8UC3, heat), style, opacity)
      .at<cv::Vec3b>(1, 2);
}

TEST(Blend, GradcamStyleMixes) {
  EXPECT_EQ(blended({100, 200, 40}, {200, 0, 80}, Style::kGradcam, 0.5), cv::Vec3b(150, 100, 60));
  EXPECT_EQ(blended({100, 200, 40}, {200, 0, 80}, Style::kGradcam, 0.25), cv::Vec3b(125, 150, 50));
}

TEST(Blend, OpacityEndsAreImageAndHeat) {
  EXPECT_EQ(blended({100, 200, 40}, {200, 0, 80}, Style::kGradcam, 0), cv::Vec3b(100, 200, 40));
  EXPECT_EQ(blended({100, 200, 40}, {200, 0, 80}, Style::kGradcam, 1), cv::Vec3b(200, 0, 80));
}

TEST(Blend, NotebookStyleAddsAndClips) {
  EXPECT_EQ(blended({100, 250, 40}, {200, 100, 0}, Style::kNotebook, 0.4), cv::Vec3b(180, 255, 40));
}

TEST(Blend, BrightnessDoesNotDependOnOtherPixels) {
  cv::Mat image(1, 2, CV_8UC3, cv::Scalar(100, 100, 100));
  cv::Mat heat(1, 2, CV_8UC3, cv::Scalar(128, 0, 0));
  const cv::Mat cold = blend(image, heat, Style::kGradcam, 0.5);
  heat.at<cv::Vec3b>(0, 1) = {255, 255, 255};
  const cv::Mat hot = blend(image, heat, Style::kGradcam, 0.5);
  EXPECT_EQ(cold.at<cv::Vec3b>(0, 0), cv::Vec3b(114, 50, 50));
  EXPECT_EQ(hot.at<cv::Vec3b>(0, 0), cv::Vec3b(114, 50, 50));
}

}  // namespace
}  // namespace gradcam
