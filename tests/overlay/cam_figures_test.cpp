#include "stages/overlay/cam_figures.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gradcam {
namespace {

TEST(CamFigures, OnePointHasNoEntropy) {
  cv::Mat map = cv::Mat::zeros(4, 5, CV_32F);
  map.at<float>(1, 3) = 1;
  const CamFigures figures = figures_of(map);
  EXPECT_DOUBLE_EQ(figures.coverage, 0.05);
  EXPECT_NEAR(figures.entropy, 0, 1e-12);
  EXPECT_EQ(figures.centroid, cv::Point2d(3, 1));
  EXPECT_EQ(figures.peak, cv::Point(3, 1));
}

TEST(CamFigures, EvenMapHasFullEntropy) {
  const CamFigures figures = figures_of(cv::Mat(3, 4, CV_32F, 0.75));
  EXPECT_DOUBLE_EQ(figures.coverage, 1);
  EXPECT_NEAR(figures.entropy, 1, 1e-9);
  EXPECT_NEAR(figures.centroid->x, 1.5, 1e-9);
  EXPECT_NEAR(figures.centroid->y, 1, 1e-9);
}

TEST(CamFigures, CentroidAndEntropyAreWeighted) {
  const cv::Mat map = (cv::Mat_<float>(1, 2) << 0.25f, 0.75f);
  const CamFigures figures = figures_of(map);
  EXPECT_NEAR(figures.centroid->x, 0.75, 1e-9);
  EXPECT_NEAR(figures.entropy, 0.8112781, 1e-6);  // -(1/4 log 1/4 + 3/4 log 3/4) / log 2
}

TEST(CamFigures, CoverageCountsWhatIsAboveOneHalf) {
  const cv::Mat map = (cv::Mat_<float>(1, 4) << 0.5f, 0.51f, 1, 0);
  EXPECT_DOUBLE_EQ(figures_of(map).coverage, 0.5);
}

TEST(CamFigures, EntropyOfALargeMapIsThatOfItsSamples) {
  cv::Mat map = cv::Mat::zeros(720, 1280, CV_32F);
  map.colRange(0, 640).setTo(1);
  const CamFigures figures = figures_of(map);
  EXPECT_NEAR(figures.entropy, std::log(128.0 * 64) / std::log(128.0 * 128), 1e-9);
  EXPECT_NEAR(figures.centroid->x, 319.5, 1e-6);
  EXPECT_NEAR(figures.centroid->y, 359.5, 1e-6);
  EXPECT_DOUBLE_EQ(figures.coverage, 0.5);
}

TEST(CamFigures, OfEqualPeaksTheFirstRowByRowCounts) {
  cv::Mat map = cv::Mat::zeros(3, 300, CV_32F);  // several widths that are summed together
  for (const cv::Point& at : {cv::Point(5, 2), cv::Point(260, 1), cv::Point(299, 1)}) {
    map.at<float>(at) = 0.9f;
  }
  const CamFigures figures = figures_of(map);
  EXPECT_EQ(figures.peak, cv::Point(260, 1));
  EXPECT_NEAR(figures.centroid->x, 188, 1e-4);
  EXPECT_NEAR(figures.centroid->y, 4.0 / 3, 1e-6);
  EXPECT_DOUBLE_EQ(figures.coverage, 3 / 900.0);
}

TEST(CamFigures, EmptyMapPointsNowhere) {
  const CamFigures figures = figures_of(cv::Mat::zeros(6, 8, CV_32F));
  EXPECT_EQ(figures.coverage, 0);
  EXPECT_EQ(figures.entropy, 0);
  EXPECT_FALSE(figures.centroid.has_value());
  EXPECT_FALSE(figures.peak.has_value());
}

TEST(CamFigures, OnePixelIsItsOwnCentre) {
  const CamFigures figures = figures_of(cv::Mat(1, 1, CV_32F, 1.0));
  EXPECT_EQ(figures.coverage, 1);
  EXPECT_EQ(figures.entropy, 0);
  EXPECT_EQ(figures.peak, cv::Point(0, 0));
}

}  // namespace
}  // namespace gradcam
