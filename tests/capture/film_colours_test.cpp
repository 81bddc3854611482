#include <gtest/gtest.h>

#include <ostream>

#include "stages/capture/film_source.h"
#include "stages/preprocess/preprocess.h"
#include "tests/support/colour_films.h"

/// Levels of film files against those that ffmpeg shows.
namespace gradcam {
namespace {

using testing::colour_films;
using testing::ColourFilm;
using testing::expect_same_levels;
using testing::make_films;

struct Container {
  const char* extension;
  bool vp9;
};

std::ostream& operator<<(std::ostream& out, const Container& c) { return out << c.extension; }

/// The network's input at the picture's own size, as BGR again.
cv::Mat seen_by_the_network(const Picture& picture) {
  ModelDescription description;
  description.input_width = picture.width();
  description.input_height = picture.height();
  description.color = ColorOrder::kBgr;
  NetworkInput input = to_network_input(picture, description);
  return cv::Mat(picture.size(), CV_8UC3, input.blob.pixels.data()).clone();
}

class FilmColours : public ::testing::TestWithParam<Container> {};

TEST_P(FilmColours, AreThoseOfFfmpeg) {
  const TempFolder folder;
  const std::vector<ColourFilm> films = colour_films(GetParam().extension, GetParam().vp9);
  const std::vector<cv::Mat> wanted = make_films(folder, films);
  for (std::size_t i = 0; i < films.size(); ++i) {
    FilmSource film(folder / films[i].name, {});
    const testing::ReadBack read = testing::read_all(film);
    ASSERT_EQ(read.frames.size(), 10U) << films[i].name;
    // Our own formula is exact where ffmpeg is too dark, see findings/ffmpeg_dark_ten_bit.sh.
    const bool deep = films[i].name.find("_10.") != std::string::npos;
    const int tolerance = deep ? 3 : 2;
    const Picture& picture = read.frames[1].image;
    expect_same_levels(picture.bgr(), wanted[i], films[i].name, tolerance);
    expect_same_levels(seen_by_the_network(picture), wanted[i], films[i].name, tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Containers, FilmColours,
                         ::testing::Values(Container{"mp4", false}, Container{"mov", false},
                                           Container{"mkv", false}, Container{"ts", false},
                                           Container{"avi", false}, Container{"webm", true}),
                         [](const auto& tested) { return tested.param.extension; });

TEST(FilmColours, OfOtherCodecsAreThoseOfFfmpeg) {
  const TempFolder folder;
  const auto kind = [](const std::string& name, const std::string& format, const char* codec) {
    return ColourFilm{name, "format=" + format, std::string(" -c:v ") + codec};
  };
  const std::vector<ColourFilm> films = {
      kind("ffv1_grey.mkv", "gray", "ffv1"),
      kind("ffv1_grey10.mkv", "gray10le", "ffv1"),
      kind("ffv1_grey10_limited.mkv", "gray10le", "ffv1 -color_range tv"),
      kind("ffv1_grey16.mkv", "gray16le", "ffv1"),
      kind("ffv1_rgb.mkv", "bgr0", "ffv1"),
      kind("ffv1_alpha.mkv", "bgra", "ffv1"),
      kind("png_grey.mov", "gray", "png"),
      kind("png_grey16.mov", "gray16be", "png"),
      kind("png_rgb.avi", "rgb24", "png"),
      kind("raw_grey.avi", "gray", "rawvideo"),
      kind("mjpeg_grey.avi", "gray", "mjpeg -q:v 2"),
      kind("mjpeg_422.avi", "yuvj422p", "mjpeg -q:v 2"),
      kind("mjpeg_420.mkv", "yuvj420p", "mjpeg -q:v 2"),
      kind("prores.mov", "yuv422p10le", "prores_ks"),
      kind("mpeg2.mpg", "yuv420p", "mpeg2video -q:v 2 -bf 0"),
      kind("animation.mov", "argb", "qtrle"),
  };
  const std::vector<cv::Mat> wanted = make_films(folder, films);
  for (std::size_t i = 0; i < films.size(); ++i) {
    FilmSource film(folder / films[i].name, {});
    const testing::ReadBack read = testing::read_all(film);
    ASSERT_FALSE(read.frames.empty()) << films[i].name;
    const bool deep = films[i].name == "prores.mov";
    expect_same_levels(read.frames[0].image.bgr(), wanted[i], films[i].name, deep ? 3 : 2);
  }
}

}  // namespace
}  // namespace gradcam
