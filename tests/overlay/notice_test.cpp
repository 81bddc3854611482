#include "stages/overlay/notice.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

namespace gradcam {
namespace {

cv::Rect changed_by(cv::Size size, const std::string& text) {
  cv::Mat picture(size, CV_8UC3, cv::Scalar::all(128));
  draw_notice(picture, text);
  cv::Mat difference;
  cv::absdiff(picture, cv::Scalar::all(128), difference);
  cv::cvtColor(difference, difference, cv::COLOR_BGR2GRAY);
  return cv::boundingRect(difference);
}

TEST(Notice, StandsLowInTheMiddle) {
  for (const cv::Size size : {cv::Size(320, 240), cv::Size(1280, 720), cv::Size(3840, 2160)}) {
    const cv::Rect box = changed_by(size, "opacity 0.6");
    EXPECT_NEAR(2 * box.x + box.width, size.width, 4) << size;
    EXPECT_GT(box.y, size.height * 6 / 10) << size;
    EXPECT_LT(box.br().y, size.height) << size;
  }
}

TEST(Notice, LongTextsAreShortened) {
  const cv::Rect box = changed_by({320, 240}, std::string(500, 'x'));
  EXPECT_FALSE(box.empty());
  EXPECT_GT(box.x, 0);
  EXPECT_LT(box.br().x, 320);
}

TEST(Notice, WithoutTextOrRoomNothingIsDrawn) {
  EXPECT_TRUE(changed_by({320, 240}, "").empty());
  EXPECT_TRUE(changed_by({8, 8}, "opacity").empty());
}

}  // namespace
}  // namespace gradcam
