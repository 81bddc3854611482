#include "stages/overlay/heat_on_frame.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "stages/overlay/cam_figures.h"

namespace gradcam {
namespace {

HeatMap filled(int width, int height, float value) {
  return {height, width, std::pmr::vector<float>(static_cast<std::size_t>(width) * height, value)};
}

HeatMap heat_of(const cv::Mat& values) {
  return {values.rows, values.cols,
          std::pmr::vector<float>(values.begin<float>(), values.end<float>())};
}

Mapping stretched(cv::Size blob, cv::Size frame) {
  return {frame.width,
          frame.height,
          {0, 0, static_cast<double>(frame.width), static_cast<double>(frame.height)},
          {0, 0, static_cast<double>(blob.width), static_cast<double>(blob.height)}};
}

class StretchedHeat : public testing::TestWithParam<cv::Size> {};

TEST_P(StretchedHeat, EqualsOpencvsBilinearResize) {
  cv::Mat values(224, 224, CV_32F);
  cv::RNG random(7);
  random.fill(values, cv::RNG::UNIFORM, 0, 1);
  cv::Mat expected;
  cv::resize(values, expected, GetParam(), 0, 0, cv::INTER_LINEAR);

  const cv::Mat map = map_on_frame(heat_of(values), stretched(values.size(), GetParam()),
                                   values.size(), Style::kGradcam);

  ASSERT_EQ(map.size(), expected.size());
  EXPECT_LE(cv::norm(map, expected, cv::NORM_INF), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Sizes, StretchedHeat,
                         testing::Values(cv::Size(1280, 720), cv::Size(640, 272),
                                         cv::Size(224, 224), cv::Size(97, 53), cv::Size(1, 1)));

TEST(HeatOnFrame, GradcamStyleKeepsValues) {
  const cv::Mat map =
      map_on_frame(filled(4, 4, 0.5f), stretched({4, 4}, {10, 6}), {4, 4}, Style::kGradcam);
  EXPECT_EQ(cv::countNonZero(map != 0.5), 0);
}

TEST(HeatOnFrame, HeatInThePaddingIsNeverShown) {
  HeatMap heat = filled(8, 8, 1);
  std::fill_n(heat.values.begin() + 16, 32, 0.0f);  // rows 2 to 5
  const Mapping letterbox{16, 8, {0, 0, 16, 8}, {0, 2, 8, 4}};

  const cv::Mat map = map_on_frame(heat, letterbox, {8, 8}, Style::kGradcam);

  EXPECT_EQ(map.size(), cv::Size(16, 8));
  EXPECT_EQ(cv::countNonZero(map), 0);
}

TEST(HeatOnFrame, PointOfLetterboxedBlobLandsOnItsFramePixel) {
  HeatMap heat = filled(224, 224, 0);
  heat.values[80 * 224 + 100] = 1;
  const Mapping letterbox{640, 360, {0, 0, 640, 360}, {0, 49, 224, 126}};

  const CamFigures figures = figures_of(map_on_frame(heat, letterbox, {224, 224}, Style::kGradcam));

  // (100.5 * 640 / 224 - 0.5, (80.5 - 49) * 360 / 126 - 0.5)
  EXPECT_NEAR(figures.centroid->x, 286.643, 0.5);
  EXPECT_NEAR(figures.centroid->y, 89.5, 0.5);
  EXPECT_NEAR(figures.peak->x, 286.643, 1);
  EXPECT_NEAR(figures.peak->y, 89.5, 1);
}

TEST(HeatOnFrame, OutsideTheCenterCropIsZero) {
  const Mapping crop{200, 100, {50, 0, 100, 100}, {0, 0, 4, 4}};
  const cv::Mat map = map_on_frame(filled(4, 4, 1), crop, {4, 4}, Style::kGradcam);
  EXPECT_EQ(map.at<float>(50, 49), 0);
  EXPECT_EQ(map.at<float>(50, 50), 1);
  EXPECT_EQ(map.at<float>(50, 149), 1);
  EXPECT_EQ(map.at<float>(50, 150), 0);
  EXPECT_EQ(cv::countNonZero(map), 100 * 100);
}

TEST(HeatOnFrame, FractionalRegionsAreExact) {
  HeatMap ramp = filled(16, 1, 0);
  for (int x = 0; x < 16; ++x) ramp.values[static_cast<std::size_t>(x)] = static_cast<float>(x);
  const Mapping mapping{50, 1, {10.6, 0, 20, 1}, {2.5, 0, 8, 1}};

  const cv::Mat map = map_on_frame(ramp, mapping, {16, 1}, Style::kGradcam);

  EXPECT_EQ(map.at<float>(0, 10), 0);  // its centre, 10.5, lies before 10.6
  EXPECT_EQ(map.at<float>(0, 31), 0);
  for (int x = 11; x < 28; ++x) {
    EXPECT_NEAR(map.at<float>(0, x), (x + 0.5 - 10.6) * 8 / 20 + 2.5 - 0.5, 1e-5) << x;
  }
}

TEST(HeatOnFrame, NotebookStyleScalesAfterEnlarging) {
  const HeatMap heat{1, 2, {1, 3}};
  const cv::Mat map =
      map_on_frame(heat, stretched({224, 224}, {4, 1}), {224, 224}, Style::kNotebook);
  // Enlarged: 1, 1.5, 2.5, 3.
  EXPECT_NEAR(map.at<float>(0, 0), 0, 1e-6);
  EXPECT_NEAR(map.at<float>(0, 1), 0.25, 1e-6);
  EXPECT_NEAR(map.at<float>(0, 2), 0.75, 1e-6);
  EXPECT_NEAR(map.at<float>(0, 3), 1, 1e-6);
}

TEST(HeatOnFrame, NotebookStyleFollowsTheNotebooksArithmetic) {
  cv::Mat values(7, 7, CV_32F);
  cv::RNG random(3);
  random.fill(values, cv::RNG::UNIFORM, 0, 1e-3);
  cv::Mat expected;
  cv::resize(values, expected, {640, 272}, 0, 0, cv::INTER_LINEAR);
  double lowest = 0;
  double highest = 0;
  cv::minMaxLoc(expected, &lowest, &highest);
  expected = (expected - lowest) / (highest - lowest + 1e-8);

  const cv::Mat map = map_on_frame(heat_of(values), stretched({224, 224}, {640, 272}), {224, 224},
                                   Style::kNotebook);

  EXPECT_LE(cv::norm(map, expected, cv::NORM_INF), 1e-5);
}

TEST(HeatOnFrame, NotebookStyleLeavesOutThePaddingOfASmallMap) {
  const HeatMap heat{4, 1, {100, 0, 1, 100}};
  const Mapping letterbox{8, 4, {0, 0, 8, 4}, {0, 2, 8, 4}};
  const cv::Mat map = map_on_frame(heat, letterbox, {8, 8}, Style::kNotebook);
  EXPECT_NEAR(map.at<float>(0, 0), 0, 1e-6);
  EXPECT_NEAR(map.at<float>(1, 0), 0.25, 1e-6);
  EXPECT_NEAR(map.at<float>(3, 7), 1, 1e-6);
}

TEST(HeatOnFrame, ZeroStaysZeroInBothStyles) {
  for (const Style style : {Style::kGradcam, Style::kNotebook}) {
    const cv::Mat map = map_on_frame(filled(7, 7, 0), stretched({7, 7}, {64, 48}), {7, 7}, style);
    EXPECT_EQ(cv::countNonZero(map), 0);
  }
}

TEST(HeatOnFrame, RefusesValuesThatAreNoNumbers) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    HeatMap heat = filled(4, 4, 0.5f);
    heat.values[5] = bad;
    EXPECT_THROW(map_on_frame(heat, stretched({4, 4}, {8, 8}), {4, 4}, Style::kGradcam),
                 std::runtime_error);
  }
}

TEST(HeatOnFrame, RefusesSizesThatDoNotFit) {
  HeatMap heat = filled(4, 4, 0.5f);
  heat.values.pop_back();
  EXPECT_THROW(map_on_frame(heat, stretched({4, 4}, {8, 8}), {4, 4}, Style::kGradcam),
               std::runtime_error);
  EXPECT_THROW(map_on_frame(filled(4, 4, 0), Mapping{}, {4, 4}, Style::kGradcam),
               std::runtime_error);
  EXPECT_THROW(map_on_frame(HeatMap{}, stretched({4, 4}, {8, 8}), {4, 4}, Style::kGradcam),
               std::runtime_error);
}

}  // namespace
}  // namespace gradcam
