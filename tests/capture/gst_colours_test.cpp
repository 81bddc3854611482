#include <gtest/gtest.h>

#include "stages/capture/gst_live_source.h"
#include "tests/support/colour_films.h"

/// Levels of network streams against those that ffmpeg shows.
namespace gradcam {
namespace {

using testing::colour_films;
using testing::ColourFilm;
using testing::expect_same_levels;
using testing::make_films;

TEST(StreamColours, ThroughRtpAreThoseOfFfmpeg) {
  const TempFolder folder;
  const std::vector<ColourFilm> films = colour_films("ts", false);
  const std::vector<cv::Mat> wanted = make_films(folder, films);
  for (std::size_t i = 0; i < films.size(); ++i) {
    GstLiveSource stream(
        fragment_launch("gst:filesrc location=" + (folder / films[i].name).string() +
                        " ! tsdemux ! h264parse ! rtph264pay ! rtph264depay"),
        {});
    const testing::ReadBack read = testing::read_all(stream);
    ASSERT_FALSE(read.frames.empty()) << films[i].name;
    // GStreamer is exact where ffmpeg is too dark, see findings/ffmpeg_dark_ten_bit.sh.
    const bool deep = films[i].name.find("_10.") != std::string::npos;
    expect_same_levels(read.frames[0].image.bgr(), wanted[i], films[i].name, deep ? 3 : 2);
  }
}

}  // namespace
}  // namespace gradcam
