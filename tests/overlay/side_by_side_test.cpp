#include "stages/overlay/side_by_side.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "stages/overlay/colormap.h"

namespace gradcam {
namespace {

const cv::Scalar kLeft(10, 20, 200);
const cv::Scalar kRight(200, 20, 10);

/// Box around all pixels of exactly this colour.
cv::Rect box_of(const cv::Mat& picture, const cv::Scalar& color) {
  cv::Mat mask;
  cv::inRange(picture, color, color, mask);
  return cv::boundingRect(mask);
}

cv::Mat two_panels(cv::Size size, const std::string& title) {
  return side_by_side(cv::Mat(size, CV_8UC3, kLeft), cv::Mat(size, CV_8UC3, kRight), title,
                      Colormap::kJet);
}

class SideBySideSizes : public testing::TestWithParam<cv::Size> {};

TEST_P(SideBySideSizes, IsEvenAndHoldsBothPictures) {
  const cv::Size size = GetParam();
  const cv::Mat picture = two_panels(size, "tabby 78.1 %");
  EXPECT_EQ(picture.size(), side_by_side_size(size));
  EXPECT_EQ(picture.cols % 2, 0);
  EXPECT_EQ(picture.rows % 2, 0);
  const cv::Rect left = box_of(picture, kLeft);
  const cv::Rect right = box_of(picture, kRight);
  EXPECT_EQ(left.size(), size);
  EXPECT_EQ(right.size(), size);
  EXPECT_EQ(left.y, right.y);
  EXPECT_GE(right.x, left.br().x);
}

INSTANTIATE_TEST_SUITE_P(Frames, SideBySideSizes,
                         testing::Values(cv::Size(1, 1), cv::Size(160, 120), cv::Size(321, 241),
                                         cv::Size(640, 272), cv::Size(1023, 767),
                                         cv::Size(3840, 2160)));

TEST(SideBySide, TitleChangesTheLineAboveOnly) {
  const cv::Size size(640, 272);
  const cv::Mat with = two_panels(size, "tabby 78.1 %");
  const cv::Mat without = two_panels(size, "");
  cv::Mat difference;
  cv::absdiff(with, without, difference);
  cv::cvtColor(difference, difference, cv::COLOR_BGR2GRAY);
  const cv::Rect box = cv::boundingRect(difference);
  const cv::Rect right = box_of(with, kRight);
  EXPECT_FALSE(box.empty());
  EXPECT_LT(box.br().y, right.y);
  EXPECT_GE(box.x, right.x);
  EXPECT_LE(box.br().x, right.br().x);
}

TEST(SideBySide, ColourBarHasMostHeatAtTheTop) {
  const cv::Mat picture = two_panels({640, 272}, "");
  const cv::Rect top = box_of(picture, color_table(Colormap::kJet)[255]);
  const cv::Rect bottom = box_of(picture, color_table(Colormap::kJet)[0]);
  EXPECT_GE(top.x, box_of(picture, kRight).br().x);
  EXPECT_EQ(top.x, bottom.x);
  EXPECT_EQ(top.width, bottom.width);
  EXPECT_GT(bottom.y - top.br().y, 200);
  EXPECT_LT(bottom.br().y, picture.rows);
}

}  // namespace
}  // namespace gradcam
