#include "stages/overlay/mosaic.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

TEST(MosaicLayout, OnePictureIsItself) {
  const MosaicLayout layout = mosaic_layout(1, {640, 360});
  EXPECT_EQ(layout.size, cv::Size(640, 360));
  EXPECT_EQ(layout.cells, (std::vector{cv::Rect(0, 0, 640, 360)}));
}

TEST(MosaicLayout, FourAreTwoByTwoWithGaps) {
  const MosaicLayout layout = mosaic_layout(4, {640, 360});
  EXPECT_EQ(layout.size, cv::Size(1284, 724));
  EXPECT_EQ(layout.cells, (std::vector{cv::Rect(0, 0, 640, 360), cv::Rect(644, 0, 640, 360),
                                       cv::Rect(0, 364, 640, 360), cv::Rect(644, 364, 640, 360)}));
}

TEST(MosaicLayout, TheLastRowMayBeShort) {
  const MosaicLayout two = mosaic_layout(2, {100, 50});
  EXPECT_EQ(two.size, cv::Size(204, 50));
  const MosaicLayout five = mosaic_layout(5, {100, 50});
  EXPECT_EQ(five.size, cv::Size(308, 104));
  EXPECT_EQ(five.cells.back(), cv::Rect(104, 54, 100, 50));
}

TEST(MosaicLayout, LargePicturesShrinkWithinTheBounds) {
  // Height decides: (1080 - 4) / 2 = 538 rows, and 1920 * 538 / 1080 = 956.4 columns.
  const MosaicLayout layout = mosaic_layout(4, {1920, 1080});
  EXPECT_EQ(layout.cells[3], cv::Rect(960, 542, 956, 538));
  EXPECT_EQ(layout.size, cv::Size(1916, 1080));
  // Width decides: (1920 - 4) / 2 = 958 columns, and 2160 * 958 / 4096 = 505.3 rows.
  EXPECT_EQ(mosaic_layout(2, {4096, 2160}).size, cv::Size(1920, 505));
}

TEST(MosaicLayout, ManyStreamsStillHaveCells) {
  const MosaicLayout layout = mosaic_layout(100, {3000, 10}, {64, 48});
  EXPECT_EQ(layout.cells.size(), 100U);
  for (const cv::Rect& cell : layout.cells) EXPECT_FALSE(cell.empty());
}

TEST(EmptyMosaic, CellsAreDarkOnALighterGroundAndNamed) {
  const MosaicLayout layout = mosaic_layout(2, {320, 180});
  const cv::Mat mosaic = empty_mosaic(layout, {"a camera", ""});
  ASSERT_EQ(mosaic.size(), cv::Size(644, 180));
  const cv::Vec3b gap = mosaic.at<cv::Vec3b>(90, 321);
  const cv::Vec3b cell = mosaic.at<cv::Vec3b>(90, 330);
  EXPECT_GT(gap[0], cell[0]);
  EXPECT_LT(gap[0], 80);
  const auto bright = [&](const cv::Rect& area) {
    cv::Mat mask;
    cv::inRange(mosaic(area), cv::Scalar::all(120), cv::Scalar::all(255), mask);
    return cv::countNonZero(mask);
  };
  EXPECT_GT(bright(layout.cells[0]), 60);
  EXPECT_EQ(bright(layout.cells[1]), 0);
}

}  // namespace
}  // namespace gradcam
