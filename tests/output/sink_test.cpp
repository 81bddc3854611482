#include "stages/output/sink.h"

#include <gtest/gtest.h>

#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using testing::grey;
using testing::rendered;
using testing::write_text;

OutputOptions to(const std::vector<std::filesystem::path>& outputs) {
  OutputOptions options;
  for (const auto& output : outputs) options.outputs.push_back(output.string());
  return options;
}

SourceInfo film() {
  SourceInfo info;
  info.name = "film.mp4";
  info.frames_per_second = 25;
  return info;
}

TEST(OpenSinks, RefusesWhatCannotBeWritten) {
  const TempFolder folder;
  write_text(folder / "old.mp4", "");
  write_text(folder / "old.jsonl", "");
  std::filesystem::create_directory(folder / "dir.mp4");
  const struct {
    std::filesystem::path output;
    const char* part;
  } cases[] = {{folder / "old.mp4", "-y"},
               {folder / "dir.mp4", "is a folder"},
               {folder / "no" / "a.mp4", "no folder"},
               {folder / "no" / "a_%05d.png", "no folder"},
               {folder / "a.avi", ".mp4, .mkv, .png"},
               {folder / "a", ".mp4, .mkv, .png"},
               {"", ".mp4, .mkv, .png"},
               {folder / "a.png", "%05d"}};
  for (const auto& c : cases) {
    EXPECT_USER_ERROR(open_sinks(to({c.output}), film(), 0, 1), ExitCode::kOutput, c.part);
  }
  OutputOptions jsonl;
  jsonl.jsonl = (folder / "old.jsonl").string();
  EXPECT_USER_ERROR(open_sinks(jsonl, film(), 0, 1), ExitCode::kOutput, "old.jsonl");
}

TEST(RequireWritable, RefusesWithoutKnowingTheSource) {
  const TempFolder folder;
  write_text(folder / "a-1.mp4", "");
  EXPECT_NO_THROW(require_writable(to({folder / "a.mp4", folder / "a.png"}), 1));
  EXPECT_USER_ERROR(require_writable(to({folder / "a.mp4"}), 2), ExitCode::kOutput, "a-1.mp4");
  EXPECT_USER_ERROR(require_writable(to({folder / "a.avi"}), 1), ExitCode::kOutput, ".mkv");
}

TEST(OpenSinks, CreatesNothingWhenOneIsRefused) {
  const TempFolder folder;
  OutputOptions options = to({folder / "a.mp4", folder / "b_%d.png", folder / "c.bad"});
  options.jsonl = (folder / "d.jsonl").string();
  EXPECT_USER_ERROR(open_sinks(options, film(), 0, 1), ExitCode::kOutput, "c.bad");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(OpenSinks, KeepsTheOrderAskedFor) {
  const TempFolder folder;
  OutputOptions options = to({"null", folder / "a_%d.png"});
  options.jsonl = (folder / "a.jsonl").string();
  options.maps = (folder / "maps").string();
  EXPECT_EQ(open_sinks(options, film(), 0, 1).size(), 4U);
  EXPECT_TRUE(open_sinks(OutputOptions{}, film(), 0, 1).empty());
}

TEST(OpenSinks, SeveralStreamsGetTheirNumbers) {
  const TempFolder folder;
  OutputOptions options = to({folder / "a_%02d.png"});
  options.jsonl = (folder / "a.jsonl").string();
  options.maps = (folder / "maps").string();
  for (int stream = 0; stream < 2; ++stream) {
    for (const auto& sink : open_sinks(options, film(), stream, 2)) {
      Rendered frame = rendered(3, std::chrono::nanoseconds(0), grey(0, {4, 4}));
      frame.map = Lazy<cv::Mat>(cv::Mat(4, 4, CV_32F, cv::Scalar(0.5)));
      sink->write(frame);
      sink->finish();
    }
  }
  for (const char* name : {"a_03-0.png", "a_03-1.png", "a-0.jsonl", "a-1.jsonl",
                           "maps/0/000003.tiff", "maps/1/000003.tiff"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  }
}

TEST(OpenSinks, FailedFrameIsWrittenAllTheSame) {
  const TempFolder folder;
  Rendered failed = rendered(0, std::chrono::nanoseconds(0), grey(0, {4, 4}));
  failed.explained.prepared.frame.fail("explain: failed");
  for (const auto& sink : open_sinks(to({folder / "a_%d.png"}), film(), 0, 1)) sink->write(failed);
  EXPECT_TRUE(std::filesystem::exists(folder / "a_0.png"));
}

TEST(OpenSinks, WritesAFilm) {
  const TempFolder folder;
  const auto sinks = open_sinks(to({folder / "a.mp4"}), film(), 0, 1);
  ASSERT_EQ(sinks.size(), 1U);
  testing::write_frames(*sinks[0], testing::even_pts(30, std::chrono::milliseconds(40)), {64, 48});
  const auto source = open_source((folder / "a.mp4").string(), {});
  EXPECT_EQ(testing::read_all(*source).frames.size(), 30U);
}

}  // namespace
}  // namespace gradcam
