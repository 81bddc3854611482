#include "stages/overlay/colormap.h"

#include <gtest/gtest.h>

#include <limits>

namespace gradcam {
namespace {

TEST(ColorTable, JetRunsFromBlueToRed) {
  const ColorTable& jet = color_table(Colormap::kJet);
  EXPECT_EQ(jet[0], cv::Vec3b(128, 0, 0));
  EXPECT_EQ(jet[255], cv::Vec3b(0, 0, 128));
}

TEST(ColorTable, KnownEndsOfTheOthers) {
  EXPECT_EQ(color_table(Colormap::kHot)[255], cv::Vec3b(255, 255, 255));
  EXPECT_EQ(color_table(Colormap::kBone)[255], cv::Vec3b(255, 255, 255));
  EXPECT_EQ(color_table(Colormap::kViridis)[0], cv::Vec3b(84, 1, 68));
  EXPECT_EQ(color_table(Colormap::kViridis)[255], cv::Vec3b(37, 231, 253));
  EXPECT_EQ(color_table(Colormap::kInferno)[0], cv::Vec3b(4, 0, 0));
  EXPECT_EQ(color_table(Colormap::kInferno)[255], cv::Vec3b(164, 255, 252));
  EXPECT_EQ(color_table(Colormap::kMagma)[255], cv::Vec3b(191, 253, 252));
  EXPECT_EQ(color_table(Colormap::kPlasma)[0], cv::Vec3b(135, 8, 13));
  EXPECT_EQ(color_table(Colormap::kTurbo)[0], cv::Vec3b(59, 18, 48));
}

TEST(Colorize, TruncatesAndNeverRounds) {
  const ColorTable& jet = color_table(Colormap::kJet);
  const cv::Mat map = (cv::Mat_<float>(1, 4) << 0.5f, 0.999f, 1, 0.0039f);
  const cv::Mat colors = colorize(map, Colormap::kJet);
  EXPECT_EQ(colors.at<cv::Vec3b>(0, 0), jet[127]);
  EXPECT_EQ(colors.at<cv::Vec3b>(0, 1), jet[254]);
  EXPECT_EQ(colors.at<cv::Vec3b>(0, 2), jet[255]);
  EXPECT_EQ(colors.at<cv::Vec3b>(0, 3), jet[0]);
}

TEST(Colorize, MuchHeatIsRedInBgr) {
  const auto hot = colorize(cv::Mat(1, 1, CV_32F, 0.95), Colormap::kJet).at<cv::Vec3b>(0, 0);
  EXPECT_GT(hot[2], 150);
  EXPECT_LT(hot[0], 50);
}

TEST(Colorize, ValuesBeyondTheEndsTakeTheEnds) {
  const ColorTable& jet = color_table(Colormap::kJet);
  const cv::Mat map = (cv::Mat_<float>(1, 2) << -0.1f, 1.1f);
  const cv::Mat colors = colorize(map, Colormap::kJet);
  EXPECT_EQ(colors.at<cv::Vec3b>(0, 0), jet[0]);
  EXPECT_EQ(colors.at<cv::Vec3b>(0, 1), jet[255]);
}

}  // namespace
}  // namespace gradcam
