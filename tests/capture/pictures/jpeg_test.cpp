#include "stages/capture/pictures/jpeg.h"

#include <gtest/gtest.h>

#include <map>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "stages/capture/images_source.h"
#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using testing::read_all;
using testing::write_text;

/// Noise: its scans hold every byte.
std::string jpeg(const std::vector<int>& options, cv::Size size = {96, 64}) {
  cv::Mat picture(size, CV_8UC3);
  cv::RNG random(7);
  random.fill(picture, cv::RNG::UNIFORM, 0, 256);
  std::vector<unsigned char> bytes;
  cv::imencode(".jpg", picture, bytes, options);
  return {bytes.begin(), bytes.end()};
}

/// With a segment APP1 that holds a whole picture, as cameras put a preview there.
std::string with_preview(std::string picture) {
  const std::string body =
      std::string("Exif\0\0", 6) + jpeg({cv::IMWRITE_JPEG_QUALITY, 60}, {16, 8});
  const std::size_t length = body.size() + 2;
  const std::string segment = std::string("\xFF\xE1", 2) + static_cast<char>(length >> 8) +
                              static_cast<char>(length & 0xFF) + body;
  return picture.insert(2, segment);
}

std::map<std::string, std::string> pictures() {
  std::map<std::string, std::string> all = {
      {"baseline", jpeg({})},
      {"progressive", jpeg({cv::IMWRITE_JPEG_PROGRESSIVE, 1})},
      {"restarts", jpeg({cv::IMWRITE_JPEG_RST_INTERVAL, 2})},
      {"progressive with restarts",
       jpeg({cv::IMWRITE_JPEG_PROGRESSIVE, 1, cv::IMWRITE_JPEG_RST_INTERVAL, 3})}};
  const auto plain = all;
  for (const auto& [name, bytes] : plain) all[name + " with a preview"] = with_preview(bytes);
  return all;
}

std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  cv::RNG random(11);
  for (char& byte : bytes) byte = static_cast<char>(random.uniform(0, 256));
  return bytes;
}

/// What phones and cameras put behind a picture.
std::map<std::string, std::string> things_behind() {
  const std::string film = std::string(
      "\0\0\0\x18"
      "ftypmp42",
      12);
  return {{"nothing", ""},
          {"a film with the marker of a scan", film + noise(60) + "\xFF\xDA\x11\x22" + noise(60)},
          {"a film with all markers", film + noise(300000)},
          {"a film that ends with FF", film + "\xFF"},
          {"zeros", std::string(4096, '\0')},
          {"a second picture", jpeg({cv::IMWRITE_JPEG_PROGRESSIVE, 1})},
          {"a cut picture", jpeg({}).substr(0, 900)},
          {"a phone's trailer", "SEFH" + noise(100) + "SEFT"}};
}

TEST(IsWholeJpeg, WhateverLiesBehindThePicture) {
  for (const auto& [kind, picture] : pictures()) {
    for (const auto& [behind, bytes] : things_behind()) {
      EXPECT_TRUE(is_whole_jpeg(picture + bytes)) << kind << ", behind it " << behind;
    }
  }
}

TEST(IsWholeJpeg, FalseWhereverAPictureWasCut) {
  for (const auto& [kind, picture] : pictures()) {
    for (std::size_t left = 2; left < picture.size(); left += left < 40 ? 1 : 97) {
      EXPECT_FALSE(is_whole_jpeg(picture.substr(0, left))) << kind << ", " << left << " bytes";
    }
    for (std::size_t missing = 1; missing < 5; ++missing) {
      EXPECT_FALSE(is_whole_jpeg(picture.substr(0, picture.size() - missing))) << kind;
    }
  }
}

TEST(IsWholeJpeg, FalseForACutPictureWithSomethingBehindIt) {
  for (const auto& [kind, picture] : pictures()) {
    for (const auto& [behind, bytes] : things_behind()) {
      EXPECT_FALSE(is_whole_jpeg(picture.substr(0, picture.size() * 3 / 5) + bytes))
          << kind << ", behind it " << behind;
    }
  }
}

TEST(IsWholeJpeg, OfAPairTheFirstPictureCounts) {
  const std::string first = jpeg({});
  const std::string second = jpeg({cv::IMWRITE_JPEG_QUALITY, 50});
  EXPECT_TRUE(is_whole_jpeg(first + second));
  EXPECT_TRUE(is_whole_jpeg(first + second.substr(0, second.size() / 2)));
  EXPECT_FALSE(is_whole_jpeg(first.substr(0, first.size() / 2) + second));
}

TEST(IsWholeJpeg, PassesOverBytesInFrontOfTheScans) {
  std::string picture = jpeg({});
  const std::size_t tables = picture.find("\xFF\xDB");
  picture.insert(tables, "\0\x12\x34\xFF\xFF", 5);  // FF before FF fills
  EXPECT_TRUE(is_whole_jpeg(picture));
}

TEST(IsWholeJpeg, FalseForWhatIsNoPicture) {
  EXPECT_FALSE(is_whole_jpeg(""));
  EXPECT_FALSE(is_whole_jpeg("\xFF"));
  EXPECT_FALSE(is_whole_jpeg("\xFF\xD8"));
  EXPECT_FALSE(is_whole_jpeg("\xFF\xD8\xFF\xD9"));
  EXPECT_FALSE(is_whole_jpeg(std::string(1000, '\xFF')));
}

TEST(ImagesSource, ShowsThePictureOfAMotionPhotoAndRefusesACutOne) {
  const TempFolder folder;
  const std::string film = things_behind().at("a film with all markers");
  for (const auto& [kind, picture] : pictures()) {
    write_text(folder / "still.jpg", picture);
    write_text(folder / "motion.jpg", picture + film);
    ImagesSource still("still.jpg", {folder / "still.jpg"});
    ImagesSource motion("motion.jpg", {folder / "motion.jpg"});
    EXPECT_EQ(cv::norm(read_all(still).frames.at(0).image.bgr(),
                       read_all(motion).frames.at(0).image.bgr(), cv::NORM_INF),
              0)
        << kind;
    write_text(folder / "cut.jpg", picture.substr(0, picture.size() / 2));
    EXPECT_USER_ERROR(ImagesSource("cut.jpg", {folder / "cut.jpg"}), ExitCode::kSource, "cut off");
  }
}

}  // namespace
}  // namespace gradcam
