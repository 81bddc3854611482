#include "stages/capture/film_picture.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "stages/capture/film_source.h"
#include "tests/support/ffmpeg.h"
#include "tests/support/media_files.h"

/// What becomes of the pictures that films hold.
namespace gradcam {
namespace {

using testing::read_all;
using testing::read_text;
using testing::ReadBack;
using testing::run_ffmpeg;
using testing::write_text;

ReadBack read_film(const std::filesystem::path& path) {
  FilmSource source(path, {});
  return read_all(source);
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

struct FilmPictures : public ::testing::Test {
  const TempFolder folder_;
};

/// What decoders give stays as it is, but for 10 bits.
TEST_F(FilmPictures, PicturesStayAsTheyWereDecoded) {
  const std::pair<const char*, PixelFormat> formats[] = {
      {"yuv420p", PixelFormat::kI420},     {"yuv422p", PixelFormat::kI422},
      {"yuv444p", PixelFormat::kI444},     {"yuv420p10le", PixelFormat::kI420},
      {"yuv422p10le", PixelFormat::kI422}, {"gbrp", PixelFormat::kBgr}};
  for (const auto& [name, format] : formats) {
    const bool rgb = format == PixelFormat::kBgr;
    run_ffmpeg(std::string("-f lavfi -i testsrc=s=66x50:r=25 -frames:v 2 -vf format=") + name +
               (rgb ? " -c:v libx264rgb "
                    : " -c:v libx264 -colorspace bt709 -color_primaries bt709 -color_trc bt709 ") +
               (folder_ / "as.mkv").string());
    const Picture picture = read_film(folder_ / "as.mkv").frames.at(1).image;
    EXPECT_EQ(picture.format(), format) << name;
    EXPECT_EQ(picture.size(), cv::Size(66, 50));
    if (rgb) continue;
    EXPECT_EQ(picture.color().matrix, YuvMatrix::kBt709) << name;
    EXPECT_EQ(picture.color().primaries, 1);
    EXPECT_EQ(picture.color().site, ChromaSite::kLeft) << name;
  }
}

TEST_F(FilmPictures, PicturesOutliveTheirFilm) {
  run_ffmpeg("-f lavfi -i testsrc=s=64x48:r=25 -frames:v 30 -c:v libx264 " +
             (folder_ / "long.mp4").string());
  const auto frames = read_film(folder_ / "long.mp4").frames;  // the decoder is gone
  ASSERT_EQ(frames.size(), 30U);
  const auto again = read_film(folder_ / "long.mp4").frames;
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(cv::norm(frames[i].image.bgr(), again[i].image.bgr(), cv::NORM_INF), 0) << i;
  }
}

/// A picture whose quarters differ, stored with each display matrix, as ffmpeg turns it.
TEST_F(FilmPictures, TurnsAndMirrorsAreObeyed) {
  const std::vector<std::array<int, 4>> turns = {{1, 0, 0, 1},  {0, 1, -1, 0}, {-1, 0, 0, -1},
                                                 {0, -1, 1, 0}, {-1, 0, 0, 1}, {1, 0, 0, -1},
                                                 {0, 1, 1, 0},  {0, -1, -1, 0}};
  run_ffmpeg("-f lavfi -i color=black:s=64x48:r=25 -frames:v 3 -vf " +
             std::string("drawbox=0:0:32:24:white:fill,drawbox=32:0:32:24:gray:fill") +
             " -c:v libx264 -pix_fmt yuv420p " + (folder_ / "upright.mp4").string());
  const std::string bytes = read_text(folder_ / "upright.mp4");
  const cv::Mat upright = read_film(folder_ / "upright.mp4").frames.at(0).image.bgr();
  for (const auto& [a, b, c, d] : turns) {
    std::string turned = bytes;
    const std::size_t at = bytes.find("tkhd") + 4 + 40;
    const auto fixed = [](int value) {
      return big_endian(static_cast<std::uint32_t>(value) << 16);
    };
    turned.replace(at, 20, fixed(a) + fixed(b) + fixed(0) + fixed(c) + fixed(d));
    write_text(folder_ / "turned.mp4", turned);
    const Picture shown = read_film(folder_ / "turned.mp4").frames.at(0).image;
    EXPECT_EQ(shown.format(), PixelFormat::kI420);
    const cv::Mat& picture = shown.bgr();
    SCOPED_TRACE(std::to_string(a) + " " + std::to_string(b) + " " + std::to_string(c) + " " +
                 std::to_string(d));
    ASSERT_EQ(picture.size(), a != 0 ? cv::Size(64, 48) : cv::Size(48, 64));
    // Where the middle of each quarter goes, by the matrix itself.
    for (const cv::Point from : {cv::Point(16, 12), cv::Point(48, 12), cv::Point(16, 36)}) {
      const auto moved = [](int x, int y, int p, int q, int width, int height) {
        return p * x + q * y + (p < 0 ? width : 0) + (q < 0 ? height : 0);
      };
      const cv::Point to(moved(from.x, from.y, a, c, 64, 48), moved(from.x, from.y, b, d, 64, 48));
      EXPECT_EQ(picture.at<cv::Vec3b>(to), upright.at<cv::Vec3b>(from)) << from << " to " << to;
    }
  }
}

TEST(Turn, AnAngleBetweenCountsAsTheNearestRightOne) {
  const std::int32_t seven_degrees[9] = {65047, 7987, 0, -7987, 65047, 0, 0, 0, 1 << 30};
  EXPECT_FALSE(turn_of(seven_degrees).transposed);
  EXPECT_FALSE(turn_of(nullptr).flipped_x);
}

}  // namespace
}  // namespace gradcam
