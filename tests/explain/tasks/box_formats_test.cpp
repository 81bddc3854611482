#include "stages/explain/tasks/box_formats.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "config/named.h"

namespace gradcam {
namespace {

using Shape = std::vector<std::int64_t>;

/// What Ultralytics's exporter gives, and what is to be made of it.
struct Written {
  const char* what;
  Shape shape;
  std::int64_t labels;
  BoxLayout told;  ///< by its metadata
  BoxFormat format;
  int extra;
  BoxNumbers numbers;
};
std::ostream& operator<<(std::ostream& out, const Written& written) { return out << written.what; }

class FormatOfUltralytics : public testing::TestWithParam<Written> {};

TEST_P(FormatOfUltralytics, IsToldByTheShape) {
  const Written& written = GetParam();
  BoxLayout layout = written.told;
  for (int i = 0; i < 2; ++i) {  // the second time it is settled already
    settle_format(layout, written.shape, written.labels);
    EXPECT_EQ(entry_of(layout).name, row_of(kBoxFormatTable, written.format).name);
    EXPECT_EQ(layout.extra, written.extra);
    EXPECT_EQ(numbers_of(layout), written.numbers);
    EXPECT_EQ(places_of(written.shape, layout).classes, written.labels);
  }
}

BoxLayout layout_with(int extra, bool rotated = false) {
  return {.format = BoxFormat::kYolov8, .extra = extra, .rotated = rotated, .of_ultralytics = true};
}

BoxLayout rt_detr(BoxFormat format) {
  return {.format = format, .numbers = BoxNumbers::kShares, .of_ultralytics = true};
}

constexpr auto kCentre = BoxNumbers::kCentre;
INSTANTIATE_TEST_SUITE_P(
    Settle, FormatOfUltralytics,
    testing::Values(
        Written{"Detect", {84, 8400}, 80, layout_with(0), BoxFormat::kYolov8, 0, kCentre},
        Written{"OfABatch", {1, 84, 8400}, 80, layout_with(0), BoxFormat::kYolov8, 0, kCentre},
        Written{
            "Chosen", {300, 6}, 80, layout_with(0), BoxFormat::kEndToEnd, 0, BoxNumbers::kCorners},
        Written{"Segment", {116, 8400}, 80, layout_with(32), BoxFormat::kYolov8, 32, kCentre},
        Written{"OtherMasks", {100, 8400}, 80, layout_with(32), BoxFormat::kYolov8, 16, kCentre},
        Written{"SegmentChosen",
                {300, 38},
                80,
                layout_with(32),
                BoxFormat::kEndToEnd,
                32,
                BoxNumbers::kCorners},
        Written{"Pose", {56, 8400}, 1, layout_with(51), BoxFormat::kYolov8, 51, kCentre},
        Written{"PoseChosen",
                {300, 57},
                1,
                layout_with(51),
                BoxFormat::kEndToEnd,
                51,
                BoxNumbers::kCorners},
        Written{"Obb", {20, 21504}, 15, layout_with(1, true), BoxFormat::kYolov8, 1, kCentre},
        Written{"ObbChosen", {300, 7}, 15, layout_with(1, true), BoxFormat::kEndToEnd, 1, kCentre},
        Written{"RtDetr",
                {300, 6},
                80,
                rt_detr(BoxFormat::kEndToEnd),
                BoxFormat::kEndToEnd,
                0,
                BoxNumbers::kShares},
        Written{"OldRtDetr",
                {300, 84},
                80,
                rt_detr(BoxFormat::kDetr),
                BoxFormat::kDetr,
                0,
                BoxNumbers::kShares},
        Written{"OldRtDetrOfNoTitle",
                {300, 84},
                80,
                layout_with(0),
                BoxFormat::kDetr,
                0,
                BoxNumbers::kShares}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(Settle, LabelsTellWhichSideTheClassesOfAYolov8Lie) {
  BoxLayout layout{.format = BoxFormat::kYolov8};
  settle_format(layout, Shape{84, 6}, 2);
  EXPECT_EQ(layout.classes, 2);
  EXPECT_EQ(places_of(Shape{84, 6}, layout).count, 84);
  BoxLayout others{.format = BoxFormat::kYolov8};
  settle_format(others, Shape{84, 8400}, 7);  // labels of something else
  EXPECT_EQ(others.classes, 0);
}

TEST(Settle, TheLastClassOfADetrWithASoftmaxIsTheBackground) {
  BoxLayout layout{.format = BoxFormat::kDetr, .scores = ScoreActivation::kSoftmax};
  settle_format(layout, Shape{100, 96}, 0);
  EXPECT_EQ(layout.background, 91);
  BoxLayout said{.format = BoxFormat::kDetr, .scores = ScoreActivation::kSoftmax, .background = 0};
  settle_format(said, Shape{100, 96}, 0);
  EXPECT_EQ(said.background, 0);
}

TEST(Settle, AnOutputThatIsNoTableChangesNothing) {
  BoxLayout layout = layout_with(0);
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{2, 3, 4}, Shape{1, 2, 3, 4}}) {
    settle_format(layout, shape, 80);
    EXPECT_EQ(layout.format, BoxFormat::kYolov8);
    EXPECT_EQ(layout.classes, 0);
  }
}

}  // namespace
}  // namespace gradcam
