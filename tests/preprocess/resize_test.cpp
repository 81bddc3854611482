#include "stages/preprocess/resize.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace gradcam {
namespace {

cv::Mat pattern(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        picture.at<cv::Vec3b>(y, x)[c] =
            static_cast<std::uint8_t>((x * 7 + y * 13 + c * 101 + (x * y) % 17 * 3) % 256);
      }
    }
  }
  return picture;
}

TEST(Resize, EqualsPillowBitForBit) {
  std::ifstream golden(GRADCAM_TEST_DATA "/pil_resize.txt");
  ASSERT_TRUE(golden) << "no golden file";
  cv::Mat result;
  int cases = 0;
  int samples = 0;
  for (std::string line; std::getline(golden, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream in(line);
    if (line.rfind("resize", 0) == 0) {
      std::string word;
      int width = 0;
      int height = 0;
      int new_width = 0;
      int new_height = 0;
      double sum = 0;
      in >> word >> width >> height >> new_width >> new_height >> sum;
      result = resize_antialiased(pattern(width, height), {new_width, new_height});
      const cv::Scalar sums = cv::sum(result);
      EXPECT_EQ(sums[0] + sums[1] + sums[2], sum) << line;
      ++cases;
    } else {
      int x = 0;
      int y = 0;
      int c = 0;
      int value = 0;
      in >> x >> y >> c >> value;
      EXPECT_EQ(result.at<cv::Vec3b>(y, x)[c], value) << line;
      ++samples;
    }
  }
  EXPECT_GE(cases, 10);
  EXPECT_GE(samples, 400);
}

TEST(Resize, SameSizeGivesPixelsOfItsOwn) {
  const cv::Mat picture = pattern(5, 4);
  const cv::Mat same = resize_antialiased(picture, picture.size());
  EXPECT_NE(same.data, picture.data);
  EXPECT_EQ(cv::norm(same, picture, cv::NORM_INF), 0.0);
}

TEST(Resize, HonoursTheRowLengthOfAPart) {
  const cv::Mat whole = pattern(40, 30);
  const cv::Mat part = whole(cv::Rect(3, 5, 20, 16));
  EXPECT_EQ(cv::norm(resize_antialiased(part, {7, 9}), resize_antialiased(part.clone(), {7, 9}),
                     cv::NORM_INF),
            0.0);
}

}  // namespace
}  // namespace gradcam
