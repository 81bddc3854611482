#include "stages/output/image_sink.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using testing::grey;
using testing::rendered;
using testing::write_text;

const cv::Size kSize(8, 6);
constexpr std::chrono::nanoseconds kNoTime(0);

int files_in(const TempFolder& folder) {
  return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder.path()),
                                        std::filesystem::directory_iterator()));
}

TEST(ImageSink, WritesTheStill) {
  const TempFolder folder;
  for (const char* name : {"a.png", "a.jpg", "A.JPG"}) {
    ImageSink sink(folder / name, true, false);
    sink.write(rendered(0, kNoTime, grey(30, kSize)));
    sink.finish();
    const cv::Mat back = cv::imread((folder / name).string());
    ASSERT_EQ(back.size(), kSize) << name;
    EXPECT_NEAR(back.at<cv::Vec3b>(3, 3)[0], 50, 1);
  }
  EXPECT_EQ(files_in(folder), 3);  // nothing left beside them
}

TEST(ImageSink, SeriesIsNumberedAsTheSourceCounts) {
  const TempFolder folder;
  ImageSink sink(folder / "out_%05d.png", false, false);
  for (const int seq : {0, 1, 123456}) sink.write(rendered(seq, kNoTime, grey(seq, kSize)));
  sink.finish();
  EXPECT_EQ(files_in(folder), 3);
  for (const char* name : {"out_00000.png", "out_00001.png", "out_123456.png"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  }
}

TEST(ImageSink, OnePictureOfAFilmIsRefused) {
  const TempFolder folder;
  EXPECT_USER_ERROR(ImageSink(folder / "out.png", false, false), ExitCode::kOutput, "out_%05d.png");
}

TEST(ImageSink, AFieldForNoNumberIsPartOfTheName) {
  const TempFolder folder;
  for (const char* name : {"50%.png", "%s.png", "a%%b.png", "%n.png", "%.3d.png", "%ld.png"}) {
    ImageSink sink(folder / name, true, false);
    sink.write(rendered(3, kNoTime, grey(3, kSize)));
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
    EXPECT_USER_ERROR(ImageSink(folder / name, false, true), ExitCode::kOutput, "_%05d.png");
  }
}

TEST(ImageSink, AFolderIsTakenByItsName) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "a%d");
  ImageSink still(folder / "a%d" / "50%.png", true, false);
  still.write(rendered(0, kNoTime, grey(0, kSize)));
  ImageSink series(folder / "a%d" / "50%_%02d.png", false, false);
  series.write(rendered(7, kNoTime, grey(7, kSize)));
  EXPECT_TRUE(std::filesystem::exists(folder / "a%d" / "50%.png"));
  EXPECT_TRUE(std::filesystem::exists(folder / "a%d" / "50%_07.png"));
}

TEST(ImageSink, ASeriesTakesOneNumber) {
  const TempFolder folder;
  EXPECT_USER_ERROR(ImageSink(folder / "%d%d.png", false, false), ExitCode::kOutput, "%d%d.png");
  EXPECT_USER_ERROR(ImageSink(folder / "%d_%05d.png", false, false), ExitCode::kOutput,
                    "one number");
}

TEST(SeriesName, FillsAsPrintfDoes) {
  EXPECT_EQ(SeriesName("d/a_%d.png").at(7), "d/a_7.png");
  EXPECT_EQ(SeriesName("%3d.png").at(7), "  7.png");
  EXPECT_EQ(SeriesName("%03d.png").at(12345), "12345.png");
  EXPECT_EQ(SeriesName("50%_%012d%.png").at(7), "50%_000000000007%.png");
}

TEST(ImageSink, ExistingSeriesIsRefusedUnlessOverwritten) {
  const TempFolder folder;
  write_text(folder / "out_00007.png", "");
  write_text(folder / "out_x.png", "");
  EXPECT_USER_ERROR(ImageSink(folder / "out_%05d.png", false, false), ExitCode::kOutput,
                    "out_00007.png");
  ImageSink overwriting(folder / "out_%05d.png", false, true);
  ImageSink other(folder / "other_%05d.png", false, false);
}

TEST(ImageSink, FolderThatVanishesIsAnError) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "sub");
  ImageSink sink(folder / "sub" / "%d.png", false, false);
  std::filesystem::remove(folder / "sub");
  EXPECT_USER_ERROR(sink.write(rendered(0, kNoTime, grey(0, kSize))), ExitCode::kOutput, "0.png");
}

TEST(ImageSink, APictureThatTheFormatCannotHoldIsAnError) {
  const TempFolder folder;
  ImageSink sink(folder / "wide.jpg", true, false);
  EXPECT_USER_ERROR(sink.write(rendered(0, {}, cv::Mat(2, 70000, CV_8UC3, cv::Scalar()))),
                    ExitCode::kOutput, "70000x2");
}

}  // namespace
}  // namespace gradcam
