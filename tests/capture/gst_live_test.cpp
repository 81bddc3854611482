#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stop_token>
#include <vector>

#include "config/user_error.h"
#include "stages/capture/gst_launch.h"
#include "stages/capture/gst_live_source.h"
#include "stages/capture/source.h"

namespace gradcam {
namespace {

using std::chrono::milliseconds;

/// Takes `count` pictures, or fewer if the source ends.
std::vector<Captured> take(Source& source, std::size_t count) {
  std::vector<Captured> pictures;
  while (pictures.size() < count) {
    Capture next = source.next(milliseconds(500));
    if (std::holds_alternative<EndOfStream>(next)) break;
    if (auto* const picture = std::get_if<Captured>(&next)) pictures.push_back(std::move(*picture));
  }
  return pictures;
}

std::string refusal(const std::string& text) {
  try {
    open_source(text, {});
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kSource);
    return error.what();
  }
  return "";
}

TEST(GstLive, LiveFragmentGivesNewestPicturesWithRisingTimes) {
  const auto source = open_source(
      "gst:videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=50/1", {});
  EXPECT_TRUE(source->info().live);
  EXPECT_EQ(source->info().width, 64);
  const auto pictures = take(*source, 5);
  ASSERT_EQ(pictures.size(), 5U);
  EXPECT_EQ(pictures[0].pts.count(), 0);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GT(pictures[i].pts, pictures[i - 1].pts);
  EXPECT_EQ(pictures[0].image.size(), cv::Size(64, 48));
}

TEST(GstLive, PicturesStayAsTheyCome) {
  struct Coming {
    const char* format;
    PixelFormat as;
  };
  const Coming formats[] = {{"I420", PixelFormat::kI420},  {"NV12", PixelFormat::kNv12},
                            {"Y42B", PixelFormat::kI422},  {"Y444", PixelFormat::kI444},
                            {"GRAY8", PixelFormat::kGray}, {"BGRx", PixelFormat::kBgrx}};
  for (const auto& [format, as] : formats) {
    const bool yuv = format_info(as).yuv;
    const auto source = open_source(
        std::string(
            "gst:videotestsrc num-buffers=3 pattern=red ! video/x-raw,width=66,height=50,") +
            "framerate=25/1,format=" + format +
            (yuv ? ",colorimetry=(string)2:3:5:1,chroma-site=(string)mpeg2" : ""),
        {});
    const auto pictures = take(*source, 3);
    ASSERT_EQ(pictures.size(), 3U) << format;
    const Picture& picture = pictures[2].image;
    EXPECT_EQ(picture.format(), as) << format;
    EXPECT_EQ(picture.size(), cv::Size(66, 50)) << format;
    if (yuv) {
      EXPECT_EQ(picture.color().matrix, YuvMatrix::kBt709) << format;
      EXPECT_EQ(picture.color().range, ColorRange::kLimited) << format;
      EXPECT_EQ(picture.color().primaries, 1) << format;
    }
    if (as != PixelFormat::kGray) {
      EXPECT_NEAR(picture.bgr().at<cv::Vec3b>(25, 33)[2], 255, 8) << format;
    }
  }
}

/// Frames that a pipeline writes into a pipe as they pass.
class Passed {
 public:
  Passed() { EXPECT_EQ(pipe(ends_.data()), 0); }
  ~Passed() {
    for (const int end : ends_) close(end);
  }
  Passed(const Passed&) = delete;
  Passed& operator=(const Passed&) = delete;

  int input() const { return ends_[1]; }
  void wait_for(int frames, std::size_t frame_size) {
    std::vector<char> frame(frame_size);
    for (std::size_t left = frame_size * static_cast<std::size_t>(frames); left > 0;) {
      const ssize_t got = read(ends_[0], frame.data(), std::min(left, frame.size()));
      ASSERT_GT(got, 0);
      left -= static_cast<std::size_t>(got);
    }
  }

 private:
  std::array<int, 2> ends_{};
};

/// Of a live source of 40 pictures, those that reach somebody who takes none until `passed` of them
/// have gone by.
std::size_t pictures_left(const Opening& opening, int passed) {
  Passed frames;
  const auto source = open_source(
      "gst:videotestsrc is-live=true num-buffers=40 ! video/x-raw,format=GRAY8,width=16,height=16,"
      "framerate=100/1 ! tee name=all all. ! fdsink sync=false async=false fd=" +
          std::to_string(frames.input()) + " all.",
      {}, opening);
  frames.wait_for(passed, std::size_t{16} * 16);
  return take(*source, 40).size();
}

TEST(GstLive, OldPicturesGiveWayOnlyIfAskedFor) {
  EXPECT_LE(pictures_left({}, 40), 2U);  // the last one, and the one before if it is on its way
  Opening all;
  all.newest_only = false;
  EXPECT_EQ(pictures_left(all, 4), 39U);  // the one it was opened with is old
}

/// A clock that moves on by `step` each time it is read.
struct SteppingClock {
  Now now() {
    return [this] { return time += step; };
  }
  Clock::time_point time{std::chrono::hours(5)};
  std::chrono::seconds step{0};
};

/// Why a source of this fragment cannot be opened.
std::string refusal_on(const Now& now, const std::string& fragment, const Opening& opening) {
  try {
    GstLiveSource(fragment_launch(fragment), opening, now);
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kSource);
    return error.what();
  }
  return "";
}

TEST(GstLive, AStopEndsTheWaitForTheFirstPicture) {
  std::stop_source stop;
  Opening opening;
  opening.stop = stop.get_token();
  int looks = 0;
  const Now now = [&] {
    if (++looks == 3) stop.request_stop();  // while it waits
    return Clock::time_point(std::chrono::hours(5));
  };
  EXPECT_NE(refusal_on(now, "gst:videotestsrc is-live=true ! valve drop=true", opening)
                .find("stopped before its first picture"),
            std::string::npos);
  EXPECT_GE(looks, 3);
}

TEST(GstLive, TheFirstPictureMustComeWithinTenSeconds) {
  SteppingClock clock;
  clock.step = std::chrono::seconds(4);
  EXPECT_NE(refusal_on(clock.now(), "gst:videotestsrc is-live=true ! valve drop=true", {})
                .find("no picture came within 10 s"),
            std::string::npos);
}

TEST(GstLive, FiveSecondsWithoutAPictureBreakIt) {
  SteppingClock clock;
  GstLiveSource source(fragment_launch("gst:videotestsrc is-live=true ! "
                                       "video/x-raw,width=64,height=48,framerate=1/3600"),
                       {}, clock.now());
  clock.step = std::chrono::seconds(2);  // what each look for a picture takes
  EXPECT_TRUE(std::holds_alternative<NotYet>(source.next(milliseconds(1))));
  EXPECT_TRUE(std::holds_alternative<NotYet>(source.next(milliseconds(1))));
  EXPECT_THROW(source.next(milliseconds(1)), UserError);
}

TEST(GstLive, FragmentThatIsNotLiveLosesNothing) {
  const auto source =
      open_source("gst:videotestsrc num-buffers=7 ! video/x-raw,width=64,height=48", {});
  EXPECT_FALSE(source->info().live);
  EXPECT_EQ(take(*source, 100).size(), 7U);
}

TEST(GstLive, EncodedFragmentsAreDecoded) {
  const auto source =
      open_source("gst:videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48 ! jpegenc", {});
  EXPECT_EQ(take(*source, 100).size(), 3U);
}

TEST(GstLive, ErrorInMidRunIsThatOfTheSource) {
  const auto source = open_source(
      "gst:videotestsrc is-live=true ! video/x-raw,framerate=50/1 ! identity error-after=10", {});
  try {
    take(*source, 1000);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kSource);
    EXPECT_NE(std::string(error.what()).find("error-after"), std::string::npos) << error.what();
  }
}

TEST(GstLive, BadFragmentsAreRefusedInOneLine) {
  EXPECT_NE(refusal("gst:nosuchelement").find("nosuchelement"), std::string::npos);
  EXPECT_NE(refusal("gst:videotestsrc !").find("gst:videotestsrc !"), std::string::npos);
  EXPECT_EQ(refusal("gst:filesrc location=/nowhere").find('\n'), std::string::npos);
}

TEST(GstLive, RefusedConnectionsEndSoonAndHideThePassword) {
  for (const char* scheme : {"rtsp", "http"}) {
    const std::string why =
        refusal(std::string(scheme) + "://ada:s3cret@127.0.0.1:9/stream");  // the discard port
    EXPECT_FALSE(why.empty());
    EXPECT_EQ(why.find("s3cret"), std::string::npos) << why;
    EXPECT_NE(why.find("127.0.0.1:9"), std::string::npos) << why;
  }
}

TEST(StreamLaunch, CredentialsAreTakenOutOfTheLocation) {
  const GstLaunch plain = stream_launch("rtsp://cam:554/a?b=c@d");
  EXPECT_EQ(plain.location, "rtsp://cam:554/a?b=c@d");
  EXPECT_EQ(plain.user, "");
  const GstLaunch secret = stream_launch("rtsp://ada:p%40ss@cam:554/a");
  EXPECT_EQ(secret.location, "rtsp://cam:554/a");
  EXPECT_EQ(secret.user, "ada");
  EXPECT_EQ(secret.password, "p@ss");
  EXPECT_EQ(secret.name, "rtsp://ada:***@cam:554/a");
  EXPECT_EQ(secret.launch.find("p@ss"), std::string::npos);
  const GstLaunch slash = stream_launch("rtsp://ada:p/w@cam/a");
  EXPECT_EQ(slash.location, "rtsp://cam/a");
  EXPECT_EQ(slash.password, "p/w");
  const GstLaunch query = stream_launch("http://cam/a?token=b@c");
  EXPECT_EQ(query.uri, "http://cam/a?token=b@c");
  EXPECT_EQ(query.user, "");
  const GstLaunch both = stream_launch("http://ada:p@cam/a?token=bcdefg");
  EXPECT_EQ(both.uri, "http://cam/a?token=bcdefg");
  EXPECT_EQ(both.password, "p");
  const GstLaunch user = stream_launch("http://ada@host/film.mp4");
  EXPECT_EQ(user.uri, "http://host/film.mp4");
  EXPECT_EQ(user.user, "ada");
}

TEST(StreamLaunch, RtspGoesOverTcpWithLittleBuffer) {
  const std::string launch = stream_launch("rtsp://cam/a").launch;
  for (const char* part : {"protocols=tcp", "latency=100", "drop-on-latency=true", "media=video"}) {
    EXPECT_NE(launch.find(part), std::string::npos) << part;
  }
}

TEST(CameraLaunch, AsksForTheChosenMode) {
  const GstLaunch launch = camera_launch({"/dev/video3", "Front", {{"MJPG", 1280, 720, 30}}});
  EXPECT_EQ(launch.launch, "v4l2src name=source ! image/jpeg,width=1280,height=720");
  EXPECT_EQ(launch.device, "/dev/video3");
  EXPECT_TRUE(launch.camera);
  EXPECT_EQ(camera_launch({"/dev/video3", "Odd", {}}).launch, "v4l2src name=source");
}

}  // namespace
}  // namespace gradcam
