#include "stages/capture/images_source.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using testing::read_all;
using testing::read_text;
using testing::write_text;

void write_grey(const std::filesystem::path& path, int value, cv::Size size = {8, 6}) {
  cv::imwrite(path.string(), cv::Mat(size, CV_8UC3, cv::Scalar::all(value)));
}

TEST(NaturalLess, ComparesRunsOfDigitsAsNumbers) {
  EXPECT_TRUE(natural_less("a2.png", "a10.png"));
  EXPECT_FALSE(natural_less("a10.png", "a2.png"));
  EXPECT_TRUE(natural_less("a2b3", "a2b10"));
  EXPECT_TRUE(natural_less("a", "a1"));
  EXPECT_TRUE(natural_less("a9", "b1"));
  EXPECT_TRUE(natural_less("a01", "a1") != natural_less("a1", "a01"));
  EXPECT_FALSE(natural_less("a1", "a1"));
  EXPECT_TRUE(natural_less("99999999999999999998", "99999999999999999999"));
}

TEST(ImagesSource, ACutJpegIsNoPicture) {
  const TempFolder folder;
  cv::Mat picture(60, 80, CV_8UC3);
  cv::randu(picture, 0, 255);
  cv::imwrite((folder / "a.jpg").string(), picture);
  cv::imwrite((folder / "b.jpg").string(), picture);
  testing::truncated(folder / "a.jpg", 0.6);
  ImagesSource source("folder", pictures_in_folder(folder.path()));
  const auto read = read_all(source);
  EXPECT_EQ(read.frames.size(), 1U);
  EXPECT_EQ(read.cut_short, "1 of 2 pictures could not be read: a.jpg");
}

TEST(ImagesSource, ALinkInACircleIsPassedOver) {
  const TempFolder folder;
  write_grey(folder / "a.png", 10);
  std::filesystem::create_symlink(folder / "loop.png", folder / "loop.png");
  ImagesSource source("folder", pictures_in_folder(folder.path()));
  EXPECT_EQ(read_all(source).frames.size(), 1U);
}

TEST(ImagesSource, FolderPlaysInNaturalOrderAt25FramesPerSecond) {
  const TempFolder folder;
  write_grey(folder / "f10.png", 100);
  write_grey(folder / "f2.PNG", 20);
  write_grey(folder / "f1.bmp", 10);
  write_text(folder / "notes.txt", "no picture");
  std::filesystem::create_directory(folder / "sub.png");
  ImagesSource source("folder", pictures_in_folder(folder.path()));
  EXPECT_FALSE(source.info().still);
  EXPECT_EQ(source.info().frames, 3);
  EXPECT_EQ(source.info().width, 8);
  const auto read = read_all(source);
  ASSERT_EQ(read.frames.size(), 3U);
  const int values[] = {10, 20, 100};
  for (int i = 0; i < 3; ++i) {
    const Captured& frame = read.frames[static_cast<std::size_t>(i)];
    EXPECT_EQ(frame.image.bgr().at<cv::Vec3b>(0, 0)[0], values[i]);
    EXPECT_EQ(frame.pts, std::chrono::milliseconds(40 * i));
  }
  EXPECT_EQ(read.cut_short, "");
}

TEST(ImagesSource, GlobTakesPicturesOnly) {
  const TempFolder folder;
  write_grey(folder / "a1.png", 1);
  write_grey(folder / "a2.png", 2);
  write_grey(folder / "b1.png", 3);
  write_text(folder / "a3.txt", "");
  EXPECT_EQ(pictures_matching((folder / "a*").string()).size(), 2U);
  EXPECT_USER_ERROR(pictures_matching((folder / "c*").string()), ExitCode::kSource, "c*");
}

TEST(ImagesSource, SinglePictureIsStill) {
  const TempFolder folder;
  write_grey(folder / "one.png", 7);
  ImagesSource source("one.png", {folder / "one.png"});
  EXPECT_TRUE(source.info().still);
  EXPECT_EQ(read_all(source).frames.size(), 1U);
}

TEST(ImagesSource, UnreadablePictureOfAListIsLeftOutAndNamed) {
  const TempFolder folder;
  write_grey(folder / "1.png", 10);
  write_text(folder / "2.png", "not a picture");
  write_text(folder / "3.jpg", "");
  write_grey(folder / "4.png", 40);
  ImagesSource source("folder", pictures_in_folder(folder.path()));
  const auto read = read_all(source);
  ASSERT_EQ(read.frames.size(), 2U);
  EXPECT_EQ(read.frames[1].image.bgr().at<cv::Vec3b>(0, 0)[0], 40);
  EXPECT_EQ(read.cut_short, "2 of 4 pictures could not be read: 2.png, 3.jpg");
}

TEST(ImagesSource, NothingReadableIsAnError) {
  const TempFolder folder;
  write_text(folder / "1.png", "x");
  EXPECT_USER_ERROR(ImagesSource("1.png", {folder / "1.png"}), ExitCode::kSource, "1.png");
  write_text(folder / "2.png", "x");
  EXPECT_USER_ERROR(ImagesSource("dir", pictures_in_folder(folder.path())), ExitCode::kSource,
                    "none");
  const TempFolder empty;
  EXPECT_USER_ERROR(pictures_in_folder(empty.path()), ExitCode::kSource, "holds no picture");
}

cv::Mat read_one(const std::filesystem::path& path) {
  ImagesSource source("picture", {path});
  return read_all(source).frames.at(0).image.bgr();
}

TEST(ImagesSource, GreySixteenBitAndTransparentBecomeBgrBytes) {
  const TempFolder folder;
  cv::imwrite((folder / "grey.png").string(), cv::Mat(4, 4, CV_8UC1, cv::Scalar(77)));
  cv::imwrite((folder / "deep.png").string(), cv::Mat(4, 4, CV_16UC1, cv::Scalar(0x8000)));
  cv::imwrite((folder / "alpha.png").string(), cv::Mat(4, 4, CV_8UC4, cv::Scalar(1, 2, 3, 128)));
  EXPECT_EQ(read_one(folder / "grey.png").at<cv::Vec3b>(0, 0), cv::Vec3b(77, 77, 77));
  EXPECT_EQ(read_one(folder / "deep.png").at<cv::Vec3b>(0, 0), cv::Vec3b(128, 128, 128));
  EXPECT_EQ(read_one(folder / "alpha.png").at<cv::Vec3b>(0, 0), cv::Vec3b(1, 2, 3));
}

TEST(ImagesSource, ObeysOrientationTag) {
  const TempFolder folder;
  write_grey(folder / "plain.jpg", 50, {16, 8});
  // Exif with one entry: tag 0x0112 (orientation), SHORT, 1 value, 6 = turn right by 90 degrees.
  const std::string tiff("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", 26);
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  const std::string segment =
      std::string("\xFF\xE1\0", 3) + static_cast<char>(body.size() + 2) + body;
  std::string jpeg = read_text(folder / "plain.jpg");
  jpeg.insert(2, segment);
  write_text(folder / "turned.jpg", jpeg);
  EXPECT_EQ(read_one(folder / "plain.jpg").size(), cv::Size(16, 8));
  EXPECT_EQ(read_one(folder / "turned.jpg").size(), cv::Size(8, 16));
}

}  // namespace
}  // namespace gradcam
