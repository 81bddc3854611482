#include "stages/capture/film_source.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

#include "tests/support/ffmpeg.h"
#include "tests/support/media_files.h"

/// Which frames a film has, and when, against ffprobe; what they show, by the number of each.
namespace gradcam {
namespace {

using testing::probed_times;
using testing::read_all;
using testing::read_text;
using testing::ReadBack;
using testing::run_ffmpeg;
using testing::shown_by_ffmpeg;
using testing::write_text;

const cv::Size kSize(64, 48);
constexpr int kFrames = 50;
constexpr int kStep = 4;  ///< grey levels from one frame to the next

/// Writes films of frames at 25 a second whose brightness tells their number.
class Film : public ::testing::Test {
 protected:
  Film() {
    std::string grey;
    for (int i = 0; i < kFrames; ++i) {
      grey.append(static_cast<std::size_t>(kSize.area()), static_cast<char>(20 + kStep * i));
    }
    write_text(folder_ / "frames.raw", grey);
  }

  std::filesystem::path make(const std::string& name, const std::string& options,
                             const std::string& more_inputs = "") {
    run_ffmpeg("-f rawvideo -pix_fmt gray -s 64x48 -r 25 -i " + (folder_ / "frames.raw").string() +
               " " + more_inputs + " " + options + " " + (folder_ / name).string());
    return folder_ / name;
  }
  std::filesystem::path copy(const std::string& name, const std::filesystem::path& film,
                             const std::string& before, const std::string& after = "") {
    run_ffmpeg(before + " -i " + film.string() + " -c copy " + after + " " +
               (folder_ / name).string());
    return folder_ / name;
  }

  const TempFolder folder_;
};

const std::string kX264 = "-c:v libx264 -pix_fmt yuv420p -sc_threshold 0 -g 40 -bf 2";

int number_of(const cv::Mat& picture) {
  return static_cast<int>(std::lround((cv::mean(picture)[0] - 20) / kStep));
}

std::vector<int> numbers_of(const ReadBack& read) {
  std::vector<int> numbers;
  for (const Captured& frame : read.frames) numbers.push_back(number_of(frame.image.bgr()));
  return numbers;
}

std::vector<int> range(int begin, int end) {
  std::vector<int> numbers;
  for (int i = begin; i < end; ++i) numbers.push_back(i);
  return numbers;
}

std::vector<int> operator+(std::vector<int> a, const std::vector<int>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

ReadBack read_film(const std::filesystem::path& path, double start_s = 0) {
  InputOptions options;
  options.start_s = start_s;
  FilmSource film(path, options);
  ReadBack read = read_all(film);
  EXPECT_EQ(read.cut_short, "") << path;
  return read;
}

void expect_times(const ReadBack& read, const std::vector<double>& seconds) {
  ASSERT_EQ(read.frames.size(), seconds.size());
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    const double time = std::chrono::duration<double>(read.frames[i].pts).count();
    // ffprobe repeats a time where edits meet; ours increase.
    const bool repeated = i > 0 && seconds[i] <= seconds[i - 1];
    EXPECT_NEAR(time, seconds[i], repeated ? 0.041 : 0.0011) << "frame " << i;
    if (i > 0) {
      EXPECT_GT(read.frames[i].pts, read.frames[i - 1].pts);
    }
  }
}

/// Frames with these numbers, at the times of ffprobe, and those that ffmpeg shows.
void expect_film(const std::filesystem::path& path, const std::vector<int>& numbers) {
  SCOPED_TRACE(path);
  const ReadBack read = read_film(path);
  EXPECT_EQ(numbers_of(read), numbers);
  std::vector<int> shown;
  for (const cv::Mat& frame : shown_by_ffmpeg(path, kSize)) shown.push_back(number_of(frame));
  EXPECT_EQ(numbers_of(read), shown);
  expect_times(read, probed_times(path));
}

/// An edit: milliseconds that it lasts, and the frame that it begins with; -1: nothing is shown.
struct Edit {
  std::uint32_t length_ms;
  double begin;
};

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// Gives an mp4 of ffmpeg with one track, its `moov` at the end, other edits than its own.
void set_edits(const std::filesystem::path& path, const std::vector<Edit>& edits) {
  constexpr double kTicksPerFrame = 512;  // of 12800 a second
  std::string bytes = read_text(path);
  const std::size_t at = bytes.find("elst") - 4;
  ASSERT_LT(at, bytes.size());
  const std::uint32_t first = number_at(bytes, at + 20);  // behind the delay of B-frames
  std::string list = "elst" + big_endian(0) + big_endian(static_cast<std::uint32_t>(edits.size()));
  for (const Edit& edit : edits) {
    const auto begin = static_cast<std::uint32_t>(
        edit.begin < 0 ? -1 : std::lround(first + edit.begin * kTicksPerFrame));
    list += big_endian(edit.length_ms) + big_endian(begin) + big_endian(0x10000);
  }
  list = big_endian(static_cast<std::uint32_t>(list.size() + 4)) + list;
  const std::uint32_t before = number_at(bytes, at);
  for (const char* name : {"edts", "trak", "moov"}) {
    const std::size_t box = bytes.rfind(name, at) - 4;
    const auto length = static_cast<std::uint32_t>(number_at(bytes, box) + list.size() - before);
    bytes.replace(box, 4, big_endian(length));
  }
  bytes.replace(at, before, list);
  write_text(path, bytes);
}

TEST_F(Film, TrimmedWithoutLossShowsWhatItsEditShows) {
  const auto whole = make("whole.mp4", kX264);
  for (const char* end : {"mp4", "mov"}) {
    const auto trimmed = [&](const std::string& name, const std::string& from) {
      return copy(name + "." + end, whole, "-ss " + from, "-avoid_negative_ts disabled");
    };
    expect_film(trimmed("early", "0.2"), range(5, kFrames));
    expect_film(trimmed("middle", "0.6"), range(15, kFrames));
    expect_film(trimmed("late", "1.4"), range(35, kFrames));
    expect_film(trimmed("behind_the_last_key_frame", "1.76"), range(44, kFrames));
  }
}

TEST_F(Film, EveryEditIsShownInItsOrder) {
  const auto edited = [this](const char* name, const std::vector<Edit>& edits) {
    auto path = make(name, kX264);
    set_edits(path, edits);
    return path;
  };
  expect_film(edited("two.mp4", {{400, 5}, {400, 25}}), range(5, 15) + range(25, 35));
  expect_film(edited("turned_round.mp4", {{400, 25}, {400, 5}}), range(25, 35) + range(5, 15));
  expect_film(edited("twice.mp4", {{400, 5}, {400, 8}}), range(5, 15) + range(8, 18));
  expect_film(edited("empty_first.mp4", {{500, -1}, {400, 5}, {320, 30}}),
              range(5, 15) + range(30, 38));
}

TEST_F(Film, AFrameThatAnEditBeginsInTheMiddleOfIsNotShown) {
  const auto path = make("middle.mp4", kX264);
  set_edits(path, {{800, 5.5}});
  expect_film(path, range(6, 26));
}

TEST_F(Film, PictureThatBeginsAfterTheSoundKeepsItsTime) {
  const auto whole = make("whole.mp4", kX264);
  for (const char* name : {"late.mp4", "late.mov", "late.mkv"}) {
    const auto path = folder_ / name;
    run_ffmpeg("-f lavfi -i sine=duration=3 -itsoffset 0.5 -i " + whole.string() +
               " -map 1:v -map 0:a -c:v copy -c:a aac " + path.string());
    expect_film(path, range(0, kFrames));
    EXPECT_NEAR(std::chrono::duration<double>(read_film(path).frames[0].pts).count(), 0.5, 0.03);
  }
}

TEST_F(Film, FragmentsMayHoldBFrames) {
  expect_film(make("a.mp4", kX264 + " -g 10 -movflags +frag_keyframe+empty_moov"),
              range(0, kFrames));
  expect_film(make("b.mp4", kX264 + " -g 10 -movflags +frag_keyframe+delay_moov"),
              range(0, kFrames));
  expect_film(make("c.mp4", kX264 + " -frag_duration 300000 -movflags +frag_keyframe"),
              range(0, kFrames));
}

TEST_F(Film, PicturesOfAGifKeepTheirDelays) {
  const auto path = make("a.gif",
                         "-frames:v 4 -vf \"setpts='if(eq(N,2),12,if(eq(N,3),14,N))*0.12/TB'\" "
                         "-vsync vfr");
  const ReadBack read = read_film(path);
  expect_times(read, {0, 0.12, 1.44, 1.68});
  EXPECT_EQ(numbers_of(read), range(0, 4));
}

TEST_F(Film, TransparentFilmsShowTheirColours) {
  for (const char* codec : {"libvpx-vp9", "libvpx"}) {
    const auto path =
        make(std::string(codec) + ".webm",
             std::string("-frames:v 10 -vf format=yuva420p -b:v 1M -auto-alt-ref 0 -c:v ") + codec);
    expect_film(path, range(0, 10));
  }
}

TEST_F(Film, SlowTransportStreamsKeepTheirTimes) {
  const auto path = make("slow.ts", "-vf setpts=25*PTS -r 1 -frames:v 10 " + kX264 + " -bf 0");
  expect_times(read_film(path), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_F(Film, WithoutTimesOfItsOwnIsCounted) {
  const auto whole = make("whole.mp4", kX264);
  const std::vector<std::filesystem::path> films = {
      make("b_frames.avi", kX264), copy("raw.h264", whole, "", "-bsf:v h264_mp4toannexb -f h264")};
  for (const auto& path : films) {
    SCOPED_TRACE(path);
    const ReadBack read = read_film(path);
    EXPECT_EQ(numbers_of(read), range(0, kFrames));
    for (std::size_t i = 1; i < read.frames.size(); ++i) {
      EXPECT_EQ(read.frames[i].pts - read.frames[i - 1].pts, std::chrono::milliseconds(40)) << i;
    }
  }
}

struct Stored {
  const char* name;
  const char* options;
};

std::ostream& operator<<(std::ostream& out, const Stored& stored) { return out << stored.name; }

class FilmStart : public Film, public ::testing::WithParamInterface<Stored> {};

/// Each start shows exactly the frames from there on that the whole film shows.
TEST_P(FilmStart, ShowsEveryFrameFromThereOn) {
  const auto path = make(GetParam().name, GetParam().options);
  const ReadBack whole = read_film(path);
  ASSERT_EQ(numbers_of(whole), range(0, kFrames));
  for (int frame = 0; frame < kFrames; frame += 3) {
    const auto first = static_cast<std::size_t>(frame);
    const double start = std::chrono::duration<double>(whole.frames[first].pts).count();
    const ReadBack part = read_film(path, start > 0 ? start - 0.002 : 0);
    EXPECT_EQ(numbers_of(part), range(frame, kFrames)) << "from " << start;
    ASSERT_FALSE(part.frames.empty());
    EXPECT_EQ(part.frames[0].pts, whole.frames[first].pts);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Films, FilmStart,
    ::testing::Values(
        Stored{"open_gop.mp4",
               "-c:v libx265 -x265-params keyint=25:bframes=4:open-gop=1:log-level=none"},
        Stored{"open_gop_265.mkv",
               "-c:v libx265 -x265-params keyint=10:bframes=4:open-gop=1:log-level=none"},
        Stored{"open_gop_265.ts",
               "-c:v libx265 -x265-params keyint=10:bframes=4:open-gop=1:log-level=none"},
        Stored{"open_gop_264.mp4",
               "-c:v libx264 -pix_fmt yuv420p -x264-params keyint=10:bframes=3:open-gop=1"},
        Stored{"open_gop_264.ts",
               "-c:v libx264 -pix_fmt yuv420p -x264-params keyint=10:bframes=3:open-gop=1"},
        Stored{"open_gop_2.mpg", "-c:v mpeg2video -q:v 2 -g 10 -bf 2"},
        Stored{"fragments.mp4",
               "-c:v libx264 -pix_fmt yuv420p -g 10 -bf 2 -movflags +frag_keyframe+empty_moov"},
        Stored{"b_frames.avi", "-c:v libx264 -pix_fmt yuv420p -g 10 -bf 2"},
        Stored{"raw.h264", "-c:v libx264 -pix_fmt yuv420p -g 10 -bf 2"},
        Stored{"vp9.webm", "-c:v libvpx-vp9 -b:v 1M -g 10 -deadline realtime -cpu-used 8"},
        Stored{"a.gif", "-c:v gif"}));

TEST_F(Film, StartCountsInTheTimesOfItsEdits) {
  const auto path = make("edits.mp4", kX264 + " -g 10");
  set_edits(path, {{400, 5}, {400, 25}});
  EXPECT_EQ(numbers_of(read_film(path, 0.35)), range(14, 15) + range(25, 35));
  EXPECT_EQ(numbers_of(read_film(path, 0.5)), range(28, 35));
}

TEST_F(Film, FieldsAreJoined) {
  const auto path = make("fields.mkv", "-c:v ffv1 -pix_fmt yuv420p -vf " +
                                           std::string("tinterlace=interleave_top,setfield=tff"));
  const ReadBack read = read_film(path);
  ASSERT_EQ(read.frames.size(), 25U);
  const cv::Mat frame = read.frames[10].image.bgr();  // of frames 20 (upper field) and 21
  EXPECT_NEAR(cv::mean(frame)[0], 20 + kStep * 20, 1);
  EXPECT_EQ(frame.at<cv::Vec3b>(10, 9), frame.at<cv::Vec3b>(11, 9));
}

TEST_F(Film, CoversAreNoFilm) {
  const auto whole = make("whole.mp4", kX264);
  run_ffmpeg("-i " + whole.string() + " -frames:v 1 -vf negate " + (folder_ / "c.png").string());
  run_ffmpeg("-i " + (folder_ / "c.png").string() + " -i " + whole.string() +
             " -map 0 -map 1 -c copy -disposition:v:0 attached_pic " +
             (folder_ / "cover.mp4").string());
  expect_film(folder_ / "cover.mp4", range(0, kFrames));
}

TEST_F(Film, DamagedPicturesAreCountedAndTold) {
  const auto path = make("a.avi", "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p");
  std::string bytes = read_text(path);
  std::size_t at = bytes.find("movi");
  for (int i = 0; i <= 20; ++i) at = bytes.find("00dc", at + 1);
  const std::size_t length =
      static_cast<unsigned char>(bytes[at + 4]) + 256 * static_cast<std::size_t>(bytes[at + 5]);
  bytes.replace(at + 8, length, length, 'Z');  // no JPEG at all
  write_text(path, bytes);
  FilmSource film(path, {});
  const ReadBack read = read_all(film);
  EXPECT_EQ(numbers_of(read), range(0, 20) + range(21, kFrames));
  EXPECT_EQ(read.undecodable, 1);
}

TEST_F(Film, NumberOfFramesIsThatOfItsIndex) {
  const auto whole = make("whole.mp4", kX264);
  EXPECT_EQ(FilmSource(whole, {}).info().frames, kFrames);
  const auto trimmed = copy("trimmed.mp4", whole, "-ss 0.6", "-avoid_negative_ts disabled");
  EXPECT_EQ(FilmSource(trimmed, {}).info().frames, 35);
  const auto uneven = make(
      "uneven.mp4", "-frames:v 9 -vf \"setpts='(N+floor(N/4)*700)/25/TB'\" -vsync vfr " + kX264);
  EXPECT_EQ(FilmSource(uneven, {}).info().frames, 9);
}

}  // namespace
}  // namespace gradcam
