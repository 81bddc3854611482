#include "stages/preprocess/preprocess.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

ModelDescription sized(int height, int width) {
  ModelDescription description;
  description.input_height = height;
  description.input_width = width;
  return description;
}

void expect_region(const Region& region, double x, double y, double width, double height) {
  EXPECT_NEAR(region.x, x, 1e-9);
  EXPECT_NEAR(region.y, y, 1e-9);
  EXPECT_NEAR(region.width, width, 1e-9);
  EXPECT_NEAR(region.height, height, 1e-9);
}

const cv::Scalar kOrange(0, 128, 255);  // BGR

TEST(Preprocess, StretchShowsTheWholeFrameInTheWholeBlob) {
  const auto input = to_network_input(cv::Mat(10, 40, CV_8UC3, kOrange), sized(8, 16));
  expect_region(input.mapping.in_frame, 0, 0, 40, 10);
  expect_region(input.mapping.in_blob, 0, 0, 16, 8);
  EXPECT_EQ(input.mapping.frame_width, 40);
  EXPECT_EQ(input.mapping.frame_height, 10);
  EXPECT_EQ(input.blob.pixels.size(), 8U * 16 * 3);
}

TEST(Preprocess, ColourOrderIsTheNetworks) {
  ModelDescription description = sized(4, 4);
  const cv::Mat frame(4, 4, CV_8UC3, kOrange);
  auto pixels = to_network_input(frame, description).blob.pixels;
  EXPECT_EQ(std::vector<std::uint8_t>(pixels.begin(), pixels.begin() + 3),
            (std::vector<std::uint8_t>{255, 128, 0}));
  description.color = ColorOrder::kBgr;
  pixels = to_network_input(frame, description).blob.pixels;
  EXPECT_EQ(std::vector<std::uint8_t>(pixels.begin(), pixels.begin() + 3),
            (std::vector<std::uint8_t>{0, 128, 255}));
}

TEST(Preprocess, GrayIsOneChannelOfLuma) {
  ModelDescription description = sized(4, 4);
  description.color = ColorOrder::kGray;
  description.resize = ResizeMode::kLetterbox;
  description.pad_value = 9;
  const Blob blob = to_network_input(cv::Mat(2, 4, CV_8UC3, kOrange), description).blob;
  EXPECT_EQ(blob.channels, 1);
  // 0.299 * 255 + 0.587 * 128
  EXPECT_EQ(
      std::vector<std::uint8_t>(blob.pixels.begin(), blob.pixels.end()),
      (std::vector<std::uint8_t>{9, 9, 9, 9, 151, 151, 151, 151, 151, 151, 151, 151, 9, 9, 9, 9}));
}

TEST(Preprocess, LetterboxKeepsTheAspectAndPads) {
  ModelDescription description = sized(20, 20);
  description.resize = ResizeMode::kLetterbox;
  description.pad_value = 77;
  const cv::Mat frame(20, 40, CV_8UC3, kOrange);
  const auto centred = to_network_input(frame, description);
  expect_region(centred.mapping.in_blob, 0, 5, 20, 10);
  expect_region(centred.mapping.in_frame, 0, 0, 40, 20);
  EXPECT_EQ(centred.blob.pixels[0], 77);
  EXPECT_EQ(centred.blob.pixels[5UL * 20 * 3], 255);
  description.pad_align = PadAlign::kTopLeft;
  const auto top_left = to_network_input(frame, description);
  expect_region(top_left.mapping.in_blob, 0, 0, 20, 10);
  EXPECT_EQ(top_left.blob.pixels[0], 255);
  EXPECT_EQ(top_left.blob.pixels.back(), 77);
}

TEST(Preprocess, CenterCropIsResizeOfTheShorterSideAndCrop) {
  ModelDescription description = sized(10, 10);
  description.resize = ResizeMode::kCenterCrop;
  const auto input = to_network_input(cv::Mat(20, 60, CV_8UC3, kOrange), description);
  // Resized to 30x10, columns 10..19 are kept: frame columns 20..39.
  expect_region(input.mapping.in_frame, 20, 0, 20, 20);
  expect_region(input.mapping.in_blob, 0, 0, 10, 10);
}

TEST(Preprocess, CropIsTakenBeforeResizing) {
  ModelDescription description = sized(5, 5);
  description.crop = {0.5, 0.25, 1.0, 0.75};  // top, left, bottom, right
  cv::Mat frame(20, 40, CV_8UC3, cv::Scalar(1, 2, 3));
  frame(cv::Rect(10, 10, 20, 10)).setTo(kOrange);
  const auto input = to_network_input(frame, description);
  expect_region(input.mapping.in_frame, 10, 10, 20, 10);
  for (std::size_t i = 0; i < input.blob.pixels.size(); i += 3) {
    ASSERT_EQ(input.blob.pixels[i], 255);
  }
}

TEST(Preprocess, ShrinkKeepsTheAspectAndSmallFrames) {
  const Picture frame(cv::Mat(300, 400, CV_8UC3, kOrange));
  EXPECT_EQ(shrink(frame, 100).size(), cv::Size(100, 75));
  EXPECT_EQ(shrink(frame, 400).bgr().data, frame.bgr().data);
  EXPECT_EQ(shrink(frame, 0).bgr().data, frame.bgr().data);
}

TEST(ToNetworkInput, ACropOfTheTiniestPictureHasAPixel) {
  ModelDescription description;
  description.input_height = description.input_width = 4;
  description.crop = {0.5, 0.5, 1, 1};
  const NetworkInput input =
      to_network_input(cv::Mat(1, 1, CV_8UC3, cv::Scalar(1, 2, 3)), description);
  EXPECT_EQ(input.blob.pixels[0], 3);
}

}  // namespace
}  // namespace gradcam
