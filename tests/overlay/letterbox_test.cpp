#include "stages/overlay/letterbox.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

TEST(LetterboxArea, FitsTheTighterSideAndIsCentred) {
  EXPECT_EQ(letterbox_area({640, 360}, {640, 360}), cv::Rect(0, 0, 640, 360));
  EXPECT_EQ(letterbox_area({640, 360}, {900, 300}), cv::Rect(183, 0, 533, 300));
  EXPECT_EQ(letterbox_area({640, 360}, {320, 400}), cv::Rect(0, 110, 320, 180));
  EXPECT_EQ(letterbox_area({10, 10}, {400, 100}), cv::Rect(150, 0, 100, 100));
}

TEST(LetterboxArea, KeepsAtLeastOnePixel) {
  EXPECT_EQ(letterbox_area({1000, 1}, {100, 100}), cv::Rect(0, 49, 100, 1));
}

TEST(Letterbox, FillsAPartOfALargerPicture) {
  cv::Mat canvas(20, 40, CV_8UC3, cv::Scalar::all(7));
  cv::Mat area = canvas(cv::Rect(10, 0, 20, 20));
  draw_letterboxed(cv::Mat(5, 10, CV_8UC3, cv::Scalar(10, 20, 30)), area);
  EXPECT_EQ(canvas.at<cv::Vec3b>(10, 9), cv::Vec3b(7, 7, 7));
  EXPECT_EQ(canvas.at<cv::Vec3b>(4, 10), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(canvas.at<cv::Vec3b>(5, 10), cv::Vec3b(10, 20, 30));
  EXPECT_EQ(canvas.at<cv::Vec3b>(14, 29), cv::Vec3b(10, 20, 30));
  EXPECT_EQ(canvas.at<cv::Vec3b>(15, 29), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(canvas.at<cv::Vec3b>(10, 30), cv::Vec3b(7, 7, 7));
}

TEST(Letterbox, SmallerPicturesAreAveraged) {
  cv::Mat stripes(2, 2, CV_8UC3, cv::Scalar::all(0));
  stripes.row(1) = cv::Scalar::all(100);
  cv::Mat area(1, 1, CV_8UC3);
  draw_letterboxed(stripes, area);
  EXPECT_EQ(area.at<cv::Vec3b>(0, 0), cv::Vec3b(50, 50, 50));
}

}  // namespace
}  // namespace gradcam
