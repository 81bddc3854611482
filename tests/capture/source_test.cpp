#include "stages/capture/source.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using testing::write_text;

struct Refusal {
  const char* text;
  const char* part;
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << "'" << refusal.text << "'";
}

class OpenSourceRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(OpenSourceRefuses, WithOneClearLine) {
  EXPECT_USER_ERROR(open_source(GetParam().text, {}), ExitCode::kSource, GetParam().part);
}

INSTANTIATE_TEST_SUITE_P(Source, OpenSourceRefuses,
                         ::testing::Values(Refusal{"", "empty"}, Refusal{"99", "no such camera"},
                                           Refusal{"/dev/video99", "no such camera"},
                                           Refusal{"-", "kind"}, Refusal{"ftp://h/a.mp4", "kind"},
                                           Refusal{"test:8x8", "WIDTHxHEIGHT"},
                                           Refusal{"rtsp://u:secret@127.0.0.1:9/s", "u:***@127"},
                                           Refusal{"no/such/film.mp4", "does not exist"},
                                           Refusal{"no/such/*.png", "no/such/*.png"},
                                           Refusal{"/dev/null", "neither"}));

TEST(OpenSource, NeverShowsAPassword) {
  try {
    open_source("rtsp://u:secret@127.0.0.1:9/s", {});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
}

TEST(OpenSource, FindsTheKindOfASource) {
  const TempFolder folder;
  cv::imwrite((folder / "a.png").string(), cv::Mat(4, 6, CV_8UC3, cv::Scalar(0)));
  EXPECT_EQ(open_source("test", {})->info().width, 640);
  EXPECT_TRUE(open_source((folder / "a.png").string(), {})->info().still);
  // One picture is a still, however it was named.
  EXPECT_EQ(open_source(folder.path().string(), {})->info().frames, 1);
  EXPECT_EQ(open_source((folder / "*.png").string(), {})->info().width, 6);
}

TEST(OpenSource, FindsPicturesWithoutAnExtensionByContent) {
  const TempFolder folder;
  cv::imwrite((folder / "a.png").string(), cv::Mat(4, 6, CV_8UC3, cv::Scalar(0)));
  std::filesystem::rename(folder / "a.png", folder / "scan");
  EXPECT_TRUE(open_source((folder / "scan").string(), {})->info().still);
}

TEST(OpenSource, FileNamesMayHoldPatternCharacters) {
  const TempFolder folder;
  cv::imwrite((folder / "a[1].png").string(), cv::Mat(4, 6, CV_8UC3, cv::Scalar(0)));
  EXPECT_TRUE(open_source((folder / "a[1].png").string(), {})->info().still);
}

TEST(OpenSource, FilesThatAreNoFilmsAreNamed) {
  const TempFolder folder;
  write_text(folder / "text.mp4", "this is a text and no film\n");
  write_text(folder / "empty.mp4", "");
  std::string noise(100000, '\0');
  unsigned state = 1;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
  write_text(folder / "noise.mkv", noise);
  for (const char* name : {"text.mp4", "empty.mp4", "noise.mkv"}) {
    EXPECT_USER_ERROR(open_source((folder / name).string(), {}), ExitCode::kSource, name);
  }
}

}  // namespace
}  // namespace gradcam
