#include "stages/capture/yuv.h"

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

namespace gradcam {
namespace {

/// BT.601, BT.709 and full-range BT.601.
constexpr YuvCoding kSd{0.299, 0.114, 16, 219, 224};
constexpr YuvCoding kHd{0.2126, 0.0722, 16, 219, 224};
constexpr YuvCoding kFull = kFullRange;

cv::Vec3b colour(int y, int u, int v, const YuvCoding& coding) {
  const std::uint8_t luma[2] = {static_cast<std::uint8_t>(y), static_cast<std::uint8_t>(y)};
  const auto blue = static_cast<std::uint8_t>(u);
  const auto red = static_cast<std::uint8_t>(v);
  return yuv_to_bgr(PlanarYuv{2, 1, 1, 1, {luma, &blue, &red}, {2, 1, 1}}, coding)
      .at<cv::Vec3b>(0, 1);
}

struct Case {
  int y, u, v;
  YuvCoding coding;
  cv::Vec3b bgr;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.y << " " << c.u << " " << c.v << " to " << c.bgr;
}

class YuvToBgr : public ::testing::TestWithParam<Case> {};

TEST_P(YuvToBgr, FollowsTheFormulaWithinOneLevel) {
  const Case& c = GetParam();
  const cv::Vec3b bgr = colour(c.y, c.u, c.v, c.coding);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(bgr[i], c.bgr[i], 1) << "channel " << i;
}

INSTANTIATE_TEST_SUITE_P(Colours, YuvToBgr,
                         ::testing::Values(Case{16, 128, 128, kSd, {0, 0, 0}},
                                           Case{235, 128, 128, kSd, {255, 255, 255}},
                                           Case{126, 128, 128, kSd, {128, 128, 128}},
                                           Case{81, 90, 240, kSd, {0, 0, 254}},    // red
                                           Case{145, 54, 34, kSd, {0, 255, 0}},    // green
                                           Case{41, 240, 110, kSd, {255, 0, 0}},   // blue
                                           Case{63, 102, 240, kHd, {0, 0, 255}},   // red
                                           Case{173, 42, 26, kHd, {0, 255, 1}},    // green
                                           Case{32, 240, 118, kHd, {255, 1, 1}},   // blue
                                           Case{76, 85, 255, kFull, {0, 0, 254}},  // red
                                           Case{255, 128, 128, kFull, {255, 255, 255}},
                                           Case{0, 128, 128, kFull, {0, 0, 0}},
                                           Case{255, 255, 0, kSd, {255, 255, 74}},
                                           Case{0, 0, 255, kSd, {0, 0, 184}}));

TEST(YuvToBgr, OddSizesAndStridesTakeTheRightSamples) {
  // 3x3 pixels in rows of 5; chroma 2x2 in rows of 3. Grey chroma but for the last sample (red).
  const std::vector<std::uint8_t> y = {16, 126, 235, 9, 9, 81, 81, 81, 9, 9, 126, 16, 81, 9, 9};
  const std::vector<std::uint8_t> u = {128, 128, 9, 128, 90, 9};
  const std::vector<std::uint8_t> v = {128, 128, 9, 128, 240, 9};
  const cv::Mat bgr =
      yuv_to_bgr(PlanarYuv{3, 3, 1, 1, {y.data(), u.data(), v.data()}, {5, 3, 3}}, kSd);
  ASSERT_EQ(bgr.size(), cv::Size(3, 3));
  EXPECT_EQ(bgr.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(bgr.at<cv::Vec3b>(0, 2), cv::Vec3b(255, 255, 255));
  EXPECT_EQ(bgr.at<cv::Vec3b>(2, 1), cv::Vec3b(0, 0, 0));
  EXPECT_NEAR(bgr.at<cv::Vec3b>(2, 2)[2], 254, 1);
  EXPECT_LE(bgr.at<cv::Vec3b>(2, 2)[1], 1);
}

}  // namespace
}  // namespace gradcam
