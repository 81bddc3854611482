#include "stages/explain/tasks/decode_boxes.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/explain/tasks/decoding.h"

namespace gradcam {
namespace {

const BoxLayout kYolox2{.format = BoxFormat::kYolox, .classes = 2};
const BoxLayout kYolov8Of2{.format = BoxFormat::kYolov8, .classes = 2};
const BoxLayout kRawOf2{.format = BoxFormat::kRawHeads, .classes = 2};
const BoxLayout kCells{.format = BoxFormat::kYolox, .decoded = false, .classes = 1};

TEST(Decode, YoloxScoreIsObjectnessTimesTheBestClass) {
  for (const BoxFormat format : {BoxFormat::kYolox, BoxFormat::kYolov5}) {
    const auto found =
        decoded({10, 20, 4, 8, 0.5F, 0.25F, 0.75F}, {1, 7}, {.format = format, .classes = 2});
    ASSERT_EQ(found.size(), 1U);
    expect_box(found[0].box, {8, 16, 12, 24});
    EXPECT_EQ(found[0].index, 1);
    EXPECT_FLOAT_EQ(found[0].score, 0.375F);
  }
}

TEST(Decode, YoloxSeedIsTheProductsDerivative) {
  const auto found = decoded({0, 0, 1, 1, 0.1F, 0.9F, 0.9F,  //
                              9, 9, 2, 2, 0.5F, 0.8F, 0.1F},
                             {1, 2, 7}, kYolox2);
  ASSERT_EQ(found.size(), 1U);
  const std::vector<float> output{0, 0, 1, 1, 0.1F, 0.9F, 0.9F, 9, 9, 2, 2, 0.5F, 0.8F, 0.1F};
  const Seed seed = scalar_of(found[0]).seed(output);
  ASSERT_EQ(seed.size(), 2U);
  expect_term(seed[0], 7 + 4, 0.8F);
  expect_term(seed[1], 7 + 5, 0.5F);
}

/// Undecoded rows of one class for an input of `rows` cells, silent but for those set.
std::vector<float> silent_cells(std::size_t rows) { return std::vector<float>(rows * 6, 0.F); }

void set_cell(std::vector<float>& output, std::size_t row, const std::array<float, 6>& values) {
  std::copy(values.begin(), values.end(), output.begin() + static_cast<std::ptrdiff_t>(row * 6));
}

TEST(Decode, UndecodedYoloxBoxesStartAtTheirCell) {
  // 32x32: 4x4 cells of 8 pixels, 2x2 of 16, one of 32.
  std::vector<float> output = silent_cells(21);
  const float ln2 = std::log(2.F);
  set_cell(output, 6, {0.5F, 0.25F, ln2, 0, 1, 0.9F});   // row 1, column 2
  set_cell(output, 18, {0, 0, 0, ln2, 1, 0.8F});         // row 1, column 0 of the second grid
  set_cell(output, 20, {0.5F, 0.5F, 0, 0, 0.5F, 0.8F});  // the third grid
  const auto found = decoded(output, {1, 21, 6}, kCells);
  ASSERT_EQ(found.size(), 3U);
  expect_box(found[0].box, {12, 6, 28, 14});
  expect_box(found[1].box, {-8, 0, 8, 32});
  expect_box(found[2].box, {0, 0, 32, 32});
  expect_term(found[2].by_class, 20 * 6 + 5, 0.5F);
}

TEST(Decode, CellsOfAWideInputGoRowByRow) {
  // 64 wide, 32 high: 4 rows of 8 cells, 2 of 4, 1 of 2. The tenth is row 1, column 1.
  std::vector<float> output = silent_cells(42);
  set_cell(output, 9, {0, 0, 0, 0, 1, 1});
  const auto found = decode(output, Shape{42, 6}, kCells, 32, 64, 0.3F);
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0].box, {4, 4, 12, 12});
}

// Two boxes of two classes: the first of class 1 (0.6), the second of class 0 (0.9).
const std::vector<float> kColumns = {10, 20, 10, 20, 4, 8, 4, 8, 0.1F, 0.9F, 0.6F, 0.2F};

TEST(Decode, Yolov8HoldsABoxPerColumnAndNoObjectness) {
  const auto found = decoded(kColumns, {1, 6, 2}, kYolov8Of2);
  ASSERT_EQ(found.size(), 2U);
  expect_box(found[0].box, {8, 8, 12, 12});
  EXPECT_EQ(found[0].index, 1);
  EXPECT_EQ(found[0].score, 0.6F);
  expect_box(found[1].box, {16, 16, 24, 24});
  EXPECT_EQ(found[1].index, 0);
  const Seed seed = scalar_of(found[0]).seed(kColumns);
  ASSERT_EQ(seed.size(), 1U);
  expect_term(seed[0], 10, 1);  // row 5 of two columns
}

TEST(Decode, Yolov8MayBeTransposedWhereTheClassesTell) {
  const auto found = decoded({10, 10, 4, 4, 0.1F, 0.6F}, {1, 6}, kYolov8Of2);
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0].box, {8, 8, 12, 12});
  EXPECT_EQ(found[0].index, 1);
  expect_term(found[0].by_class, 5, 1);
}

TEST(Decode, ASquareYolov8OutputIsReadAsTheFormatSays) {
  std::vector<float> output(36, 0.F);
  for (int number : {0, 1, 2, 3}) output[static_cast<std::size_t>(number) * 6] = 5;
  output[24] = 0.7F;  // the first column's first class
  const auto found = decoded(output, {6, 6}, kYolov8Of2);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].score, 0.7F);
}

TEST(Decode, RawHeadsHoldCorners) {
  const auto found = decoded({1, 2, 30, 40, 0.2F, 0.8F}, {1, 6}, kRawOf2);
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0].box, {1, 2, 30, 40});
  expect_term(found[0].by_class, 5, 1);
}

TEST(Decode, RawHeadsWithAnchorsHoldOffsets) {
  // Of the anchor around (20, 10), 8 wide and 4 high: 0.5 * 0.1 of its width to the right, -1 * 0.1
  // of its height; e^(0.2 ln 32) = 2 times as wide; the other anchor as it is.
  BoxLayout layout = kRawOf2;
  layout.decoded = false;
  layout.anchors = {{20, 10, 8, 4}, {40, 40, 6, 6}};
  layout.variances = {0.1F, 0.1F, 0.2F, 0.2F};
  const auto found = decoded({0.5F, -1, std::log(32.F), 0, 0.2F, 0.8F,  //
                              0, 0, 0, 0, 0.9F, 0.1F},
                             {1, 2, 6}, layout);
  ASSERT_EQ(found.size(), 2U);
  expect_box(found[0].box, {20.4F - 8, 9.6F - 2, 20.4F + 8, 9.6F + 2});
  expect_box(found[1].box, {37, 37, 43, 43});
}

TEST(Decode, AWildOffsetIsABoxStill) {
  BoxLayout layout = kRawOf2;
  layout.decoded = false;
  layout.anchors = {{0, 0, 16, 16}};
  const auto found = decoded({0, 0, 1000, 0, 1, 0}, {1, 6}, layout);
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0].box, {-500, -8, 500, 8});  // 1000/16 times as wide
}

TEST(Decode, SoftmaxOverClassesOfWhichOneIsBackground) {
  // e^0 : e^(ln 6) : e^(ln 3) = 1 : 6 : 3. S is the logit.
  BoxLayout layout{
      .format = BoxFormat::kRawHeads, .scores = ScoreActivation::kSoftmax, .background = 0};
  const auto found =
      decoded({1, 2, 30, 40, 0, std::log(6.F), std::log(3.F),  //
               1, 2, 30, 40, 5, 0, 0},  // background, though 0 of its classes is best
              {2, 7}, layout);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].index, 1);
  EXPECT_NEAR(found[0].score, 0.6F, 1e-6F);
  expect_term(found[0].by_class, 5, 1);
}

TEST(Decode, LogitsOfRawHeadsGoThroughASigmoid) {
  BoxLayout layout = kRawOf2;
  layout.scores = ScoreActivation::kSigmoid;
  const auto found = decoded({1, 2, 30, 40, -3, 0, 1, 2, 30, 40, -3, -2}, {2, 6}, layout);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].score, 0.5F);
  expect_term(found[0].by_class, 5, 0.25F);  // s * (1 - s)
}

TEST(Decode, TheThresholdItselfIsEnough) {
  const std::vector<float> output = {1, 2, 30, 40, 0.5F, 0, 1, 2, 30, 40, 0.499F, 0};
  EXPECT_EQ(decoded(output, {2, 6}, kRawOf2, 0.5F).size(), 1U);
  EXPECT_EQ(decoded(output, {2, 6}, kRawOf2, 0.4F).size(), 2U);
}

TEST(Decode, OfEqualClassesTheFirstCounts) {
  EXPECT_EQ(decoded({1, 2, 30, 40, 0.5F, 0.5F}, {1, 6}, kRawOf2).at(0).index, 0);
}

TEST(Decode, BoxesWithoutAreaAreLeftOut) {
  EXPECT_TRUE(decoded({30, 2, 1, 40, 0.9F, 0, 1, 2, 1, 40, 0.9F, 0}, {2, 6}, kRawOf2).empty());
}

TEST(Decode, ClassesAreCountedWhereTheyAreNotGiven) {
  const BoxLayout layout{.format = BoxFormat::kYolox};
  EXPECT_EQ(decoded({1, 1, 2, 2, 1, 0, 0, 0.9F}, {1, 8}, layout).at(0).index, 2);
  const BoxLayout columns{.format = BoxFormat::kYolov8};
  std::vector<float> output(30, 0.F);
  for (std::size_t number = 0; number < 5; ++number) output[number * 6 + 3] = 0.9F;
  EXPECT_EQ(decoded(output, {5, 6}, columns).at(0).by_class.index, 4 * 6 + 3);
}

TEST(Decode, NoBoxesAreNoDetections) {
  EXPECT_TRUE(decoded({}, {1, 0, 7}, kYolox2).empty());
  EXPECT_TRUE(decoded({}, {6, 0}, kYolov8Of2).empty());
}

TEST(Decode, NanAndInfinityAreErrors) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THROW(decoded({nan, 2, 30, 40, 0, 0}, {1, 6}, kRawOf2), std::runtime_error);
  EXPECT_THROW(decoded({1, 2, 30, 40, 0.9F, infinity}, {1, 6}, kRawOf2), std::runtime_error);
  std::vector<float> output = silent_cells(21);
  set_cell(output, 3, {0, 0, 100, 0, 1, 1});  // exp(100) is more than a float holds
  EXPECT_THROW(decoded(output, {21, 6}, kCells), std::runtime_error);
}

struct Refused {
  const char* what;
  Shape shape;
  BoxLayout layout;
  const char* mentions;
};
std::ostream& operator<<(std::ostream& out, const Refused& refused) { return out << refused.what; }

class RefusedShape : public testing::TestWithParam<Refused> {};

TEST_P(RefusedShape, TellsWhatWasFoundAndWhatIsWanted) {
  std::size_t size = 1;
  for (const std::int64_t length : GetParam().shape) size *= static_cast<std::size_t>(length);
  try {
    decoded(std::vector<float>(size, 0.F), GetParam().shape, GetParam().layout);
    FAIL() << "accepted";
  } catch (const std::runtime_error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find(GetParam().mentions), std::string::npos) << text;
    EXPECT_EQ(text.rfind("detections: the output is [", 0), 0U) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

const BoxLayout kUndecodedYolov8{.format = BoxFormat::kYolov8, .decoded = false, .classes = 2};
INSTANTIATE_TEST_SUITE_P(
    Decode, RefusedShape,
    testing::Values(
        Refused{"OneDimension", {7}, kYolox2, "[7]; format yolox wants [N, 5+C] (cx, cy, w, h"},
        Refused{"TwoPictures", {2, 3, 7}, kYolox2, "[2, 3, 7]; format yolox wants"},
        Refused{"OtherNumberOfClasses", {1, 3, 8}, kYolox2, "[1, 3, 8]; format yolox wants"},
        Refused{"NamesTheClasses", {1, 3, 8}, kYolox2, "class scores) with C = 2"},
        Refused{
            "NoClasses", {3, 5}, {.format = BoxFormat::kYolov5}, "format yolov5 wants [N, 5+C]"},
        Refused{"NeitherWayRound", {7, 9}, kYolov8Of2, "[7, 9]; format yolov8 wants [4+C, N]"},
        Refused{"EitherWayRound", {9, 7}, {.format = BoxFormat::kYolov8}, "4+C <= N where"},
        Refused{"RawHeads", {9, 7}, kRawOf2, "raw-heads wants [N, 4+C] (x1, y1, x2, y2"},
        Refused{"OtherGrid", {20, 6}, kCells, "not decoded with N = 21 for an input of 32x32"},
        Refused{"NoBackground",
                {9, 6},
                {.format = BoxFormat::kRawHeads, .background = 2},
                "C above the background class 2"},
        Refused{"NoGrid", {6, 3}, kUndecodedYolov8, "with C = 2 in pixels (decoded)"},
        Refused{"OnlyExtra",
                {6, 9},
                {.format = BoxFormat::kYolov8, .extra = 2},
                "C class scores) and 2 numbers more"},
        Refused{"FewColumns", {9, 5}, {.format = BoxFormat::kEndToEnd}, "end-to-end wants [N, 6]"},
        Refused{"NoAngle",
                {9, 6},
                {.format = BoxFormat::kEndToEnd, .rotated = true},
                "end-to-end wants [N, 6]"},
        Refused{"DetrWithoutClasses", {9, 4}, {.format = BoxFormat::kDetr}, "detr wants [N, 4+C]"}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(Decode, ATooShortOutputIsRefused) {
  EXPECT_THROW(decoded({1, 2, 3}, {1, 7}, kYolox2), std::runtime_error);
}

Detection detection(Box box, float score, int index = 0, std::int64_t at = 0) {
  return {box, index, score, {at, 1}, {}};
}

TEST(NonMaximumSuppression, KeepsTheBestOfBoxesThatOverlap) {
  const auto kept = non_maximum_suppression(
      {detection({0, 0, 4, 4}, 0.6F), detection({1, 0, 5, 4}, 0.9F),  // 12/20 over it
       detection({20, 0, 24, 4}, 0.7F)},
      0.5F);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].score, 0.9F);
  EXPECT_EQ(kept[1].score, 0.7F);
}

TEST(NonMaximumSuppression, OverlapMustExceedTheThreshold) {
  const std::vector<Detection> half = {detection({0, 0, 4, 4}, 0.9F),
                                       detection({0, 0, 4, 2}, 0.8F)};  // 8/16
  EXPECT_EQ(non_maximum_suppression(half, 0.5F).size(), 2U);
  EXPECT_EQ(non_maximum_suppression(half, 0.49F).size(), 1U);
}

TEST(NonMaximumSuppression, ClassesDoNotSuppressEachOther) {
  EXPECT_EQ(non_maximum_suppression(
                {detection({0, 0, 4, 4}, 0.9F, 2), detection({0, 0, 4, 4}, 0.8F, 7)}, 0.5F)
                .size(),
            2U);
}

TEST(NonMaximumSuppression, ASuppressedBoxSuppressesNothing) {
  // 0-10 takes 4-14 away (6/14), which alone would have taken 8-18; 0-10 and 8-18 share 2/18.
  const auto kept =
      non_maximum_suppression({detection({0, 0, 10, 1}, 0.9F), detection({4, 0, 14, 1}, 0.8F),
                               detection({8, 0, 18, 1}, 0.7F)},
                              0.4F);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[1].box.x1, 8);
}

TEST(NonMaximumSuppression, TiesGoToTheLowerClassThenTheEarlierBox) {
  const auto kept = non_maximum_suppression(
      {detection({0, 0, 4, 4}, 0.5F, 3, 30), detection({50, 0, 54, 4}, 0.5F, 1, 20),
       detection({51, 0, 55, 4}, 0.5F, 1, 10), detection({90, 0, 94, 4}, 0.5F, 1, 40)},
      0.5F);
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].by_class.index, 20);
  EXPECT_EQ(kept[1].by_class.index, 40);
  EXPECT_EQ(kept[2].by_class.index, 30);
}

/// Rows of a network's output and what Python makes of them (tests/reference/yolox_boxes.py).
struct Golden {
  std::vector<float> rows;
  Shape shape;
  std::vector<Detection> boxes;  ///< by_class.index: of the row, not of the flat output
};

Golden read_golden() {
  Golden golden;
  std::ifstream file(GRADCAM_TEST_DATA "/yolox_boxes.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "row") {
      const std::size_t before = golden.rows.size();
      for (float value = 0; words >> value;) golden.rows.push_back(value);
      const auto columns = static_cast<std::int64_t>(golden.rows.size() - before);
      golden.shape = {static_cast<std::int64_t>(golden.rows.size()) / columns, columns};
    } else if (kind == "box") {
      Detection d;
      words >> d.by_class.index >> d.index >> d.score >> d.box.x1 >> d.box.y1 >> d.box.x2 >>
          d.box.y2;
      golden.boxes.push_back(d);
    }
  }
  return golden;
}

TEST(Detections, EqualThoseOfPythonOnAFrameOfCars) {
  const Golden golden = read_golden();
  ASSERT_GE(golden.boxes.size(), 2U);
  const BoxLayout layout{.format = BoxFormat::kYolox};
  const auto kept =
      non_maximum_suppression(decode(golden.rows, golden.shape, layout, 416, 416, 0.3F), 0.45F);
  ASSERT_EQ(kept.size(), golden.boxes.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const Detection& expected = golden.boxes[i];
    EXPECT_EQ(kept[i].by_class.index / golden.shape[1], expected.by_class.index);
    EXPECT_EQ(kept[i].index, expected.index);
    EXPECT_NEAR(kept[i].score, expected.score, 1e-5);
    EXPECT_NEAR(iou(kept[i].box, expected.box), 1, 1e-4);
  }
}

}  // namespace
}  // namespace gradcam
