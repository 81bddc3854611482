#include "stages/preprocess/preprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "tests/picture/made_picture.h"

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

/// As decoded, and the same in BGR.
TEST(Preprocess, OfPlanesIsThatOfBgrWithinALevel) {
  ModelDescription letterbox = sized(48, 64);
  letterbox.resize = ResizeMode::kLetterbox;
  letterbox.pad_value = 114;
  ModelDescription center = sized(40, 40);
  center.resize = ResizeMode::kCenterCrop;
  center.color = ColorOrder::kBgr;
  ModelDescription part = sized(33, 31);
  part.crop = {0.11, 0.21, 0.93, 0.77};
  ModelDescription gray = sized(28, 28);
  gray.color = ColorOrder::kGray;
  ModelDescription plain = sized(50, 50);
  plain.antialias = false;
  for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kNv12, PixelFormat::kI422}) {
    const auto made = std::make_shared<MadePicture>(exact_yuv(film_like({321, 181}), format, kHd));
    const Picture frame(made->view(), made);
    for (const ModelDescription& description : {letterbox, center, part, gray, plain}) {
      const NetworkInput found = to_network_input(frame, description);
      const NetworkInput exact = to_network_input(frame.bgr(), description);
      ASSERT_EQ(found.blob.pixels.size(), exact.blob.pixels.size());
      int most = 0;
      int apart = 0;
      for (std::size_t i = 0; i < exact.blob.pixels.size(); ++i) {
        const int level = std::abs(found.blob.pixels[i] - exact.blob.pixels[i]);
        most = std::max(most, level);
        apart += level > 0 ? 1 : 0;
      }
      EXPECT_LE(most, 1) << format_info(format).name << " " << description.input_width;
      // (cv::resize without antialias rounds in another place.)
      if (description.antialias) {
        EXPECT_LE(apart, static_cast<int>(exact.blob.pixels.size()) / 20);
      }
      expect_region(found.mapping.in_frame, exact.mapping.in_frame.x, exact.mapping.in_frame.y,
                    exact.mapping.in_frame.width, exact.mapping.in_frame.height);
    }
  }
}

TEST(Preprocess, ShrunkPlanesAreShrunkBgrWithinALevel) {
  const auto made =
      std::make_shared<MadePicture>(exact_yuv(film_like({321, 181}), PixelFormat::kI420, kHd));
  const Picture frame(made->view(), made);
  const Picture small = shrink(frame, 100);
  ASSERT_EQ(small.size(), cv::Size(100, 56));
  EXPECT_EQ(small.color(), kHd);
  EXPECT_LE(cv::norm(small.bgr(), shrink(Picture(frame.bgr()), 100).bgr(), cv::NORM_INF), 1);
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
