#include <gtest/gtest.h>

#include "stages/capture/film_source.h"
#include "stages/output/opencv_film_sink.h"
#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

/// Films written through OpenCV's videoio, as builds without GStreamer do, and read back.
namespace gradcam {
namespace {

using std::chrono::milliseconds;
using testing::bright_above;
using testing::even_pts;
using testing::grey;
using testing::mark_rotated;
using testing::read_all;
using testing::ReadBack;
using testing::rendered;
using testing::truncated;
using testing::write_frames;
using testing::write_text;

const cv::Size kSize(64, 48);

SourceInfo source_of_rate(double frames_per_second) {
  SourceInfo info;
  info.frames_per_second = frames_per_second;
  return info;
}

void write_film(const std::filesystem::path& path, int frames, cv::Size size = kSize) {
  OpencvFilmSink sink(path, source_of_rate(25), false);
  write_frames(sink, even_pts(frames, milliseconds(40)), size);
}

ReadBack read_film(const std::filesystem::path& path, const InputOptions& options = {}) {
  FilmSource source(path, options);
  return read_all(source);
}

TEST(OpencvFilm, EveryFrameComesBackInOrderWithItsTime) {
  const TempFolder folder;
  for (const char* name : {"a.mp4", "a.mkv"}) {
    OpencvFilmSink sink(folder / name, source_of_rate(25), false);
    constexpr int kFrames = 60;
    for (int i = 0; i < kFrames; ++i)
      sink.write(rendered(i, i * milliseconds(40), grey(std::int64_t{10} * i, kSize)));
    sink.finish();
    const ReadBack read = read_film(folder / name);
    ASSERT_EQ(read.frames.size(), static_cast<std::size_t>(kFrames)) << name;
    EXPECT_EQ(read.cut_short, "") << name;
    for (int i = 0; i < kFrames; ++i) {
      const Captured& frame = read.frames[static_cast<std::size_t>(i)];
      // The conversions to 4:2:0 and back lose up to five levels.
      EXPECT_NEAR(cv::mean(frame.image.bgr())[0], 20 + 10 * i % 200 - 2, 4)
          << name << " frame " << i;
      EXPECT_LE(std::chrono::abs(frame.pts - i * milliseconds(40)), milliseconds(1)) << name;
    }
  }
}

TEST(OpencvFilm, OneFrame) {
  const TempFolder folder;
  write_film(folder / "a.mp4", 1);
  EXPECT_EQ(read_film(folder / "a.mp4").frames.size(), 1U);
}

TEST(OpencvFilm, HandedOutPixelsAreNotWrittenAgain) {
  const TempFolder folder;
  write_film(folder / "a.mp4", 20);
  FilmSource source(folder / "a.mp4", {});
  const auto first = std::get<Captured>(source.next(milliseconds(0)));
  const cv::Mat copy = first.image.bgr().clone();
  const ReadBack rest = read_all(source);
  EXPECT_EQ(rest.frames.size(), 19U);
  EXPECT_EQ(cv::norm(first.image.bgr(), copy, cv::NORM_INF), 0);
}

TEST(OpencvFilm, OddSizeGrowsByOnePixelAndSaysSo) {
  const TempFolder folder;
  OpencvFilmSink sink(folder / "a.mp4", source_of_rate(25), false);
  write_frames(sink, even_pts(10, milliseconds(40)), {63, 47});
  EXPECT_NE(sink.note().find("the last column and row are doubled"), std::string::npos);
  const ReadBack read = read_film(folder / "a.mp4");
  ASSERT_EQ(read.frames.size(), 10U);
  EXPECT_EQ(read.frames[0].image.size(), cv::Size(64, 48));
}

TEST(OpencvFilm, RotationIsObeyed) {
  const TempFolder folder;
  {
    OpencvFilmSink sink(folder / "a.mp4", source_of_rate(25), false);
    for (int i = 0; i < 5; ++i) {
      sink.write(rendered(i, i * milliseconds(40), bright_above(kSize)));
    }
    sink.finish();
  }
  mark_rotated(folder / "a.mp4");
  const ReadBack read = read_film(folder / "a.mp4");
  ASSERT_EQ(read.frames.size(), 5U);
  const cv::Mat turned = read.frames[0].image.bgr();
  ASSERT_EQ(turned.size(), cv::Size(48, 64));
  EXPECT_LT(turned.at<cv::Vec3b>(32, 8)[0], 60);  // what was above is at the right now
  EXPECT_GT(turned.at<cv::Vec3b>(32, 40)[0], 190);
}

TEST(OpencvFilm, StartAndDurationSelectFrames) {
  const TempFolder folder;
  write_film(folder / "a.mp4", 100);
  InputOptions options;
  options.start_s = 1.01;
  options.duration_s = 1.0;
  const ReadBack read = read_film(folder / "a.mp4", options);
  ASSERT_EQ(read.frames.size(), 25U);
  EXPECT_EQ(read.frames.front().pts, milliseconds(1040));
  options.start_s = 20;
  EXPECT_USER_ERROR(FilmSource(folder / "a.mp4", options), ExitCode::kSource, "20.0 s");
}

TEST(OpencvFilm, DamagedFilesAreErrors) {
  const TempFolder folder;
  write_text(folder / "text.mp4", "no film");
  write_text(folder / "empty.mp4", "");
  write_film(folder / "half.mp4", 100);
  truncated(folder / "half.mp4", 0.5);
  for (const char* name : {"text.mp4", "empty.mp4", "half.mp4", "missing.mp4"}) {
    EXPECT_USER_ERROR(FilmSource(folder / name, {}), ExitCode::kSource, name);
  }
}

TEST(OpencvFilm, TruncatedMatroskaSaysHowFarItGot) {
  const TempFolder folder;
  write_film(folder / "a.mkv", 250);
  const ReadBack read = read_film(truncated(folder / "a.mkv", 0.5));
  EXPECT_LT(read.frames.size(), 200U);
  EXPECT_NE(read.cut_short.find("10.0 s"), std::string::npos) << read.cut_short;
}

TEST(OpencvFilm, ExistingFileIsRefused) {
  const TempFolder folder;
  write_text(folder / "a.mp4", "");
  EXPECT_USER_ERROR(OpencvFilmSink(folder / "a.mp4", {}, false), ExitCode::kOutput, "-y");
}

}  // namespace
}  // namespace gradcam
