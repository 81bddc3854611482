#include "stages/output/maps_sink.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using testing::grey;
using testing::write_text;

Rendered with_map(std::int64_t seq, const cv::Mat& map) {
  Rendered frame = testing::rendered(seq, std::chrono::nanoseconds(0), grey(seq, map.size()));
  frame.map = Lazy<cv::Mat>(map);
  return frame;
}

TEST(MapsSink, WritesFloatsThatReadBackExactly) {
  const TempFolder folder;
  cv::Mat map(3, 5, CV_32FC1);
  for (int i = 0; i < 15; ++i) map.at<float>(i / 5, i % 5) = 1.0F / static_cast<float>(i + 1);
  MapsSink sink(folder / "maps", "", false);
  sink.write(with_map(12, map));
  sink.finish();
  const cv::Mat back = cv::imread((folder / "maps/000012.tiff").string(), cv::IMREAD_UNCHANGED);
  ASSERT_EQ(back.type(), CV_32FC1);
  ASSERT_EQ(back.size(), map.size());
  EXPECT_EQ(cv::norm(back, map, cv::NORM_INF), 0);
}

TEST(MapsSink, MapOfAShrunkPictureHasTheSizeOfItsSource) {
  const TempFolder folder;
  const cv::Mat map = (cv::Mat_<float>(1, 2) << 0.F, 1.F);
  Rendered frame = with_map(0, map);
  frame.explained.prepared.frame.source_size = {4, 3};
  MapsSink sink(folder / "maps", "", false);
  sink.write(frame);
  const cv::Mat back = cv::imread((folder / "maps/000000.tiff").string(), cv::IMREAD_UNCHANGED);
  ASSERT_EQ(back.size(), cv::Size(4, 3));
  // Pixel centres of the source lie at -1/4, 1/4, 3/4 and 5/4 of the map's.
  const cv::Mat expected = (cv::Mat_<float>(1, 4) << 0.F, 0.25F, 0.75F, 1.F);
  for (int y = 0; y < 3; ++y) EXPECT_EQ(cv::norm(back.row(y), expected, cv::NORM_INF), 0) << y;
}

TEST(MapsSink, AFolderMayBeGivenWithASlash) {
  const TempFolder folder;
  MapsSink sink(folder / "maps" / "", "", false);
  sink.write(with_map(0, cv::Mat::zeros(2, 2, CV_32FC1)));
  EXPECT_TRUE(std::filesystem::exists(folder / "maps/000000.tiff"));
}

TEST(MapsSink, FailedFrameLeavesItsNumberOut) {
  const TempFolder folder;
  MapsSink sink(folder / "maps", "", false);
  sink.write(with_map(0, cv::Mat::ones(2, 2, CV_32F)));
  sink.write(testing::rendered(1, std::chrono::nanoseconds(0), grey(1, {2, 2})));
  sink.write(with_map(2, cv::Mat::ones(2, 2, CV_32F)));
  sink.finish();
  EXPECT_TRUE(std::filesystem::exists(folder / "maps/000000.tiff"));
  EXPECT_FALSE(std::filesystem::exists(folder / "maps/000001.tiff"));
  EXPECT_TRUE(std::filesystem::exists(folder / "maps/000002.tiff"));
}

TEST(MapsSink, RefusesWhatItCannotWriteTo) {
  const TempFolder folder;
  EXPECT_USER_ERROR(MapsSink(folder / "no" / "maps", "", false), ExitCode::kOutput, "no");
  write_text(folder / "file", "");
  EXPECT_USER_ERROR(MapsSink(folder / "no" / "maps", "0", false), ExitCode::kOutput, "no");
  EXPECT_USER_ERROR(MapsSink(folder / "file", "", false), ExitCode::kOutput, "is a file");
  write_text(folder / "000000.tiff", "");
  EXPECT_USER_ERROR(MapsSink(folder.path(), "", false), ExitCode::kOutput, "-y");
  MapsSink overwriting(folder.path(), "", true);
  EXPECT_FALSE(std::filesystem::exists(folder / "maps"));
}

}  // namespace
}  // namespace gradcam
