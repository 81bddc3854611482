#include <gtest/gtest.h>

#include <random>

#include "stages/capture/film_source.h"
#include "stages/media/gst_handles.h"
#include "stages/output/gst_film_sink.h"
#include "tests/picture/made_picture.h"
#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

/// Films written through GStreamer, and read back.
namespace gradcam {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using testing::bright_above;
using testing::even_pts;
using testing::grey;
using testing::mark_rotated;
using testing::read_all;
using testing::ReadBack;
using testing::rendered;
using testing::truncated;
using testing::write_frames;

const cv::Size kSize(64, 48);

SourceInfo source_of_rate(double frames_per_second) {
  SourceInfo info;
  info.frames_per_second = frames_per_second;
  return info;
}

void write_film(const std::filesystem::path& path, const std::vector<nanoseconds>& pts,
                double frames_per_second, cv::Size size = kSize) {
  GstFilmSink sink(path, source_of_rate(frames_per_second), false);
  write_frames(sink, pts, size);
}

ReadBack read_film(const std::filesystem::path& path, const InputOptions& options = {}) {
  FilmSource source(path, options);
  return read_all(source);
}

void expect_pts(const ReadBack& read, const std::vector<nanoseconds>& pts, nanoseconds tolerance) {
  ASSERT_EQ(read.frames.size(), pts.size());
  for (std::size_t i = 0; i < pts.size(); ++i) {
    EXPECT_LE(std::chrono::abs(read.frames[i].pts - pts[i]), tolerance) << "frame " << i;
  }
}

/// Plays a GStreamer pipeline to its end, for files that our own sink does not write.
void run_pipeline(const std::string& description) {
  gst::start_library();
  const gst::Pipeline pipeline(gst_parse_launch(description.c_str(), nullptr));
  ASSERT_TRUE(pipeline);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const gst::Bus bus(gst_element_get_bus(pipeline.get()));
  const auto types = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  const gst::Message message(gst_bus_timed_pop_filtered(bus.get(), 20 * GST_SECOND, types));
  ASSERT_TRUE(message);
  ASSERT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_EOS);
}

class FilmRate : public ::testing::TestWithParam<double> {};

TEST_P(FilmRate, EveryFrameComesBackWithItsTime) {
  const TempFolder folder;
  std::vector<nanoseconds> pts;
  pts.reserve(40);
  for (int i = 0; i < 40; ++i) pts.emplace_back(static_cast<std::int64_t>(1e9 * i / GetParam()));
  write_film(folder / "a.mp4", pts, GetParam());
  write_film(folder / "a.mkv", pts, GetParam());
  expect_pts(read_film(folder / "a.mp4"), pts, nanoseconds(10));
  expect_pts(read_film(folder / "a.mkv"), pts, milliseconds(1));
}

INSTANTIATE_TEST_SUITE_P(Film, FilmRate,
                         ::testing::Values(12.5, 24000.0 / 1001, 25.0, 30000.0 / 1001, 50.0,
                                           120.0));

TEST(Film, VariableRateKeepsItsTimes) {
  const TempFolder folder;
  std::vector<nanoseconds> pts;
  std::mt19937 random(1);
  std::uniform_int_distribution<int> microseconds(5000, 400000);
  nanoseconds time(0);
  for (int i = 0; i < 60; ++i, time += std::chrono::microseconds(microseconds(random))) {
    pts.push_back(time);
  }
  for (const double rate : {0.0, 25.0}) {
    const auto path = folder / ("rate" + std::to_string(rate) + ".mp4");
    write_film(path, pts, rate);
    expect_pts(read_film(path), pts, std::chrono::microseconds(6));
  }
}

TEST(Film, LongPausesAndLongFilmsKeepTheirTimes) {
  const TempFolder folder;
  auto pts = even_pts(10, milliseconds(500));
  for (const int seconds : {65, 66, 400}) pts.emplace_back(std::chrono::seconds(seconds));
  for (const char* name : {"a.mp4", "a.mkv"}) {
    write_film(folder / name, pts, 2);
    expect_pts(read_film(folder / name), pts, milliseconds(1));
    EXPECT_NEAR(
        std::chrono::duration<double>(*FilmSource(folder / name, {}).info().duration).count(),
        400.5, 0.6);
  }
}

TEST(Film, OneFrame) {
  const TempFolder folder;
  for (const char* name : {"a.mp4", "a.mkv"}) {
    write_film(folder / name, even_pts(1, milliseconds(40)), 25);
    EXPECT_EQ(read_film(folder / name).frames.size(), 1U) << name;
  }
}

TEST(Film, NoFrameLeavesNoFile) {
  const TempFolder folder;
  write_film(folder / "a.mp4", {}, 25);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.mp4"));
}

TEST(Film, OddSizeGrowsByOnePixelAndSaysSo) {
  const TempFolder folder;
  {
    GstFilmSink sink(folder / "a.mp4", source_of_rate(25), false);
    write_frames(sink, even_pts(10, milliseconds(40)), {63, 47});
    EXPECT_NE(sink.note().find("is 64x48, not 63x47"), std::string::npos) << sink.note();
  }
  const ReadBack read = read_film(folder / "a.mp4");
  ASSERT_EQ(read.frames.size(), 10U);
  EXPECT_EQ(read.frames[0].image.size(), cv::Size(64, 48));
}

TEST(Film, ColoursComeBack) {
  const TempFolder folder;
  cv::Mat picture(kSize, CV_8UC3, cv::Scalar(200, 60, 30));
  picture.colRange(32, 64).setTo(cv::Scalar(40, 80, 220));
  {
    GstFilmSink sink(folder / "a.mp4", source_of_rate(25), false);
    for (int i = 0; i < 5; ++i) sink.write(rendered(i, i * milliseconds(40), picture));
    sink.finish();
  }
  const cv::Mat back = read_film(folder / "a.mp4").frames.at(2).image.bgr();
  for (const cv::Point at : {cv::Point(10, 20), cv::Point(50, 20)}) {
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(back.at<cv::Vec3b>(at)[i], picture.at<cv::Vec3b>(at)[i], 8) << at << " " << i;
    }
  }
}

struct Coded {
  PixelFormat format;
  cv::Size size;
  ColorDescription color;
};

/// (x264enc writes sites of chroma on the left and in the centre only.)
TEST(Film, IsCodedAsItsPicturesAre) {
  const ColorDescription hd{YuvMatrix::kBt709, ColorRange::kLimited, 1, 1, ChromaSite::kLeft};
  const ColorDescription jpeg{YuvMatrix::kBt601, ColorRange::kFull, 6, 6, ChromaSite::kCenter};
  const ColorDescription uhd{YuvMatrix::kBt2020, ColorRange::kLimited, 9, 14, ChromaSite::kLeft};
  const Coded films[] = {{PixelFormat::kI420, {96, 64}, hd},  {PixelFormat::kNv12, {96, 64}, jpeg},
                         {PixelFormat::kI422, {96, 64}, hd},  {PixelFormat::kI444, {96, 64}, jpeg},
                         {PixelFormat::kI420, {95, 63}, uhd}, {PixelFormat::kI420, {96, 64}, jpeg}};
  const TempFolder folder;
  for (const Coded& film : films) {
    const auto made =
        std::make_shared<MadePicture>(exact_yuv(film_like(film.size), film.format, film.color));
    const Picture picture(made->view(), made);
    const auto path = folder / "coded.mp4";
    {
      GstFilmSink sink(path, source_of_rate(25), true);
      for (int i = 0; i < 5; ++i) {
        Rendered shown = rendered(i, i * milliseconds(40), cv::Mat(2, 2, CV_8UC3));
        shown.picture = picture;
        sink.write(shown);
      }
      sink.finish();
    }
    const Picture back = read_film(path).frames.at(3).image;
    const std::string name = format_info(film.format).name;
    EXPECT_EQ(back.format(), PixelFormat::kI420) << name;
    EXPECT_EQ(back.color(), film.color) << name;
    const cv::Mat shown = back.bgr()(cv::Rect({0, 0}, film.size));
    EXPECT_LT(cv::norm(shown, picture.bgr(), cv::NORM_L1) / (3.0 * film.size.area()), 4) << name;
  }
}

TEST(Film, FramesComeInOrder) {
  const TempFolder folder;
  write_film(folder / "a.mp4", even_pts(100, milliseconds(40)), 25);
  const ReadBack read = read_film(folder / "a.mp4");
  ASSERT_EQ(read.frames.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_NEAR(cv::mean(read.frames[at].image.bgr())[0], 20 + i, 3) << "frame " << i;
  }
}

TEST(Film, SizeChangeInMidStreamIsLetterboxed) {
  const TempFolder folder;
  {
    GstFilmSink sink(folder / "a.mp4", source_of_rate(25), false);
    sink.write(rendered(0, milliseconds(0), grey(180, {64, 48})));
    sink.write(rendered(1, milliseconds(40), grey(180, {64, 24})));
    sink.finish();
  }
  const ReadBack read = read_film(folder / "a.mp4");
  ASSERT_EQ(read.frames.size(), 2U);
  EXPECT_EQ(read.frames[1].image.size(), cv::Size(64, 48));
  EXPECT_NEAR(read.frames[1].image.bgr().at<cv::Vec3b>(24, 32)[0], 200, 8);
  EXPECT_LT(read.frames[1].image.bgr().at<cv::Vec3b>(3, 32)[0], 12);
}

TEST(Film, TakenOutOfTheMiddleStartsAtZero) {
  const TempFolder folder;
  auto pts = even_pts(5, milliseconds(40));
  for (nanoseconds& time : pts) time += milliseconds(1020);
  SourceInfo part = source_of_rate(25);
  part.begin = std::chrono::seconds(1);
  {
    GstFilmSink sink(folder / "a.mkv", part, false);
    write_frames(sink, pts, kSize);
  }
  expect_pts(read_film(folder / "a.mkv"), even_pts(5, milliseconds(40)), milliseconds(1));
}

TEST(Film, MatroskaBeginsWhereItsSourceDoes) {
  const TempFolder folder;
  for (const auto lead : {milliseconds(500), milliseconds(5000), milliseconds(100000)}) {
    auto pts = even_pts(5, milliseconds(40));
    for (nanoseconds& time : pts) time += lead;
    const auto film = folder / (std::to_string(lead.count()) + ".mkv");
    write_film(film, pts, 25);
    expect_pts(read_film(film), pts, milliseconds(1));
  }
}

TEST(Film, StartAndDurationSelectFramesWithTheirTimes) {
  const TempFolder folder;
  const auto pts = even_pts(100, milliseconds(40));
  InputOptions options;
  options.start_s = 1.01;  // between frames 25 (1.00 s) and 26
  options.duration_s = 1.0;
  for (const char* name : {"a.mp4", "a.mkv"}) {
    write_film(folder / name, pts, 25);
    const ReadBack read = read_film(folder / name, options);
    ASSERT_EQ(read.frames.size(), 25U) << name;
    EXPECT_EQ(read.frames.front().pts, milliseconds(1040)) << name;
    EXPECT_EQ(read.frames.back().pts, milliseconds(2000)) << name;
    EXPECT_EQ(read.cut_short, "") << name;
  }
}

TEST(Film, StartBehindTheEndIsAnError) {
  const TempFolder folder;
  write_film(folder / "a.mp4", even_pts(50, milliseconds(40)), 25);
  InputOptions options;
  options.start_s = 20;
  EXPECT_USER_ERROR(FilmSource(folder / "a.mp4", options), ExitCode::kSource, "20.0 s");
}

TEST(Film, InfoTellsSizeRateAndLength) {
  const TempFolder folder;
  write_film(folder / "a.mp4", even_pts(50, milliseconds(40)), 25);
  const FilmSource source(folder / "a.mp4", {});
  EXPECT_EQ(source.info().name, (folder / "a.mp4").string());
  EXPECT_EQ(source.info().width, 64);
  EXPECT_EQ(source.info().height, 48);
  EXPECT_DOUBLE_EQ(source.info().frames_per_second, 25);
  EXPECT_EQ(source.info().frames, 50);
  EXPECT_EQ(source.info().duration, milliseconds(2000));
  EXPECT_FALSE(source.info().live);
}

TEST(Film, RotationIsObeyed) {
  const TempFolder folder;
  {
    GstFilmSink sink(folder / "a.mp4", source_of_rate(25), false);
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

TEST(Film, TruncatedMatroskaSaysHowFarItGot) {
  const TempFolder folder;
  write_film(folder / "a.mkv", even_pts(250, milliseconds(40)), 25);
  const ReadBack read = read_film(truncated(folder / "a.mkv", 0.5));
  EXPECT_GT(read.frames.size(), 50U);
  EXPECT_LT(read.frames.size(), 200U);
  EXPECT_NE(read.cut_short.find("10.0 s"), std::string::npos) << read.cut_short;
}

TEST(Film, PixelsThatAreNotSquareAreMadeSo) {
  const TempFolder folder;
  const std::string path = (folder / "wide.mkv").string();
  run_pipeline(
      "videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48,framerate=25/1,"
      "pixel-aspect-ratio=2/1 ! x264enc ! h264parse ! matroskamux ! filesink location=" +
      path);
  const cv::Size size = read_film(path).frames.at(0).image.size();
  EXPECT_NEAR(static_cast<double>(size.width) / size.height, 2 * 64.0 / 48, 0.05) << size;
}

TEST(Film, AStopEndsTheOpening) {
  const TempFolder folder;
  write_film(folder / "a.mp4", even_pts(3, milliseconds(40)), 25);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_USER_ERROR(FilmSource(folder / "a.mp4", {}, stop.get_token()), ExitCode::kSource,
                    "stopped");
}

TEST(Film, TruncatedMp4IsAnError) {
  const TempFolder folder;
  run_pipeline(
      "videotestsrc num-buffers=100 ! video/x-raw,width=64,height=48 ! x264enc ! mp4mux "
      "! filesink location=" +
      (folder / "a.mp4").string());
  EXPECT_USER_ERROR(FilmSource(truncated(folder / "a.mp4", 0.5), {}), ExitCode::kSource, "a.mp4");
}

TEST(Film, WithoutVideoIsAnError) {
  const TempFolder folder;
  run_pipeline("audiotestsrc num-buffers=50 ! vorbisenc ! matroskamux ! filesink location=" +
               (folder / "sound.mkv").string());
  EXPECT_USER_ERROR(FilmSource(folder / "sound.mkv", {}), ExitCode::kSource, "no video stream");
}

TEST(Film, PlayableWithoutAnEnding) {
  // As after a kill: the sink is destroyed before finish().
  const TempFolder folder;
  for (const char* name : {"a.mp4", "a.mkv"}) {
    {
      GstFilmSink sink(folder / name, source_of_rate(25), false);
      for (int i = 0; i < 150; ++i) sink.write(rendered(i, i * milliseconds(40), grey(i, kSize)));
    }
    EXPECT_GT(read_film(folder / name).frames.size(), 75U) << name;
  }
}

TEST(Film, FullDiskIsAnErrorWithinBoundedTime) {
  const TempFolder folder;
  for (const char* name : {"a.mp4", "a.mkv"}) {
    std::filesystem::create_symlink("/dev/full", folder / name);
    GstFilmSink sink(folder / name, source_of_rate(25), true);
    EXPECT_USER_ERROR(write_frames(sink, even_pts(500, milliseconds(40)), kSize), ExitCode::kOutput,
                      name);
  }
}

TEST(Film, FolderThatVanishesIsAnError) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "sub");
  GstFilmSink sink(folder / "sub" / "a.mp4", source_of_rate(25), false);
  std::filesystem::remove(folder / "sub");
  EXPECT_USER_ERROR(write_frames(sink, even_pts(50, milliseconds(40)), kSize), ExitCode::kOutput,
                    "a.mp4");
}

TEST(Film, EveryEncoderOfThisMachineKeepsFramesAndTimes) {
  gst::start_library();
  const TempFolder folder;
  const auto pts = even_pts(60, milliseconds(40));
  int tried = 0;
  for (const FilmEncoder& encoder : known_film_encoders(25)) {
    const gst::Object factory(gst_element_factory_find(encoder.element.c_str()));
    const bool needs_device = encoder.element.find("264enc") != std::string::npos &&
                              encoder.element != "x264enc" && encoder.element != "openh264enc";
    if (!factory || needs_device) continue;
    const auto path = folder / (encoder.element + (encoder.fits_mp4 ? ".mp4" : ".mkv"));
    GstFilmSink sink(path, source_of_rate(25), false, encoder);
    write_frames(sink, pts, {320, 240});
    expect_pts(read_film(path), pts, milliseconds(1));
    ++tried;
  }
  EXPECT_GE(tried, 1);
}

}  // namespace
}  // namespace gradcam
