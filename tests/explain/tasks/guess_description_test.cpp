#include "stages/explain/tasks/guess_description.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <ostream>
#include <string>

#include "stages/explain/tasks/box_formats.h"
#include "stages/explain/tasks/decode_boxes.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

using Outputs = std::vector<NetworkOutput>;
using Shape = std::vector<std::int64_t>;
using At = std::function<float(std::int64_t row, std::int64_t column)>;

constexpr std::int64_t kCells = 84;  // of 64x64: 8x8, 4x4 and 2x2
constexpr int kSide = 64;

/// Numbers 0..1 that differ.
float share(std::int64_t row, std::int64_t column) {
  return static_cast<float>((row * 7 + column * 13) % 101) / 101;
}

NetworkOutput table(std::int64_t rows, std::int64_t columns, const At& at, int place = 0,
                    const std::string& name = "") {
  NetworkOutput output{{.index = place, .name = ""}, name, {1, rows, columns}};
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      output.values.push_back(at(row, column));
    }
  }
  return output;
}

NetworkOutput maps(std::int64_t channels, std::int64_t side, int place = 0,
                   const std::string& name = "") {
  return {{.index = place, .name = ""}, name, {1, channels, side, side}};
}

/// Of a box per column: boxes in pixels, `classes` scores, and what lies beyond 0..1.
NetworkOutput columns(std::int64_t classes, std::int64_t beyond = 0, float size = kSide) {
  return table(4 + classes + beyond, kCells, [=](std::int64_t row, std::int64_t column) {
    if (row < 4) return share(row, column) * size;
    return row < 4 + classes ? share(row, column) : share(row, column) * 3 - 1.5F;
  });
}

/// Of a box per row: boxes in pixels, then scores.
NetworkOutput rows(std::int64_t count, std::int64_t numbers, float size = kSide) {
  return table(count, numbers, [=](std::int64_t row, std::int64_t column) {
    return share(row, column) * (column < 4 ? size : 1);
  });
}

/// Of boxes that the network chose, best first.
NetworkOutput chosen(std::int64_t numbers, float size = kSide) {
  return table(30, numbers, [=](std::int64_t row, std::int64_t column) {
    if (column < 4) return (share(row, 0) + (column > 1 ? 1.F : 0.F)) / 2 * size;
    if (column == 4) return 1 - static_cast<float>(row) / 30;
    return column == 5 ? static_cast<float>(row % 3) : -3.F;
  });
}

/// Scores of 20 boxes before a sigmoid, or before a softmax whose last class is nothing.
NetworkOutput logits(bool softmax, int place, const std::string& name, std::int64_t classes = 5) {
  return table(
      20, classes,
      [=](std::int64_t row, std::int64_t column) {
        return softmax && column == classes - 1 ? 4.F : share(row, column) * 6 - 5;
      },
      place, name);
}

NetworkOutput boxes_of_20(int place, const std::string& name, float size = 1) {
  return table(
      20, 4,
      [=](std::int64_t row, std::int64_t column) {
        return (share(row, 0) + (column > 1 ? 1.F : 0.F)) / 2 * size;
      },
      place, name);
}

struct Known {
  const char* what;
  Outputs outputs;
  std::size_t labels;
  const char* format;  ///< or the task, of those without boxes
  int classes;         ///< with the background
  BoxLayout layout;    ///< the numbers beside them
  const char* said;    ///< in what was assumed
};
std::ostream& operator<<(std::ostream& out, const Known& known) { return out << known.what; }

ModelDescription undescribed(std::size_t labels = 0) {
  ModelDescription description;
  description.input_height = kSide;
  description.input_width = kSide;
  description.labels.resize(labels);
  return description;
}

std::int64_t joined_numbers(const Known& known) {
  return known.outputs.size() > 1 ? known.outputs[0].shape[2] + known.outputs[1].shape[2] : 0;
}

class GuessBoxes : public testing::TestWithParam<Known> {};

TEST_P(GuessBoxes, ByShapesNamesAndValues) {
  const Known& known = GetParam();
  ModelDescription d = undescribed(known.labels);
  const std::string said = guess_description(known.outputs, d);
  EXPECT_NE(said.find(known.said), std::string::npos) << said;
  EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  EXPECT_EQ(task_of(d).name, "detection");
  EXPECT_EQ(entry_of(d.boxes).name, known.format);
  EXPECT_EQ(d.boxes.extra, known.layout.extra);
  EXPECT_EQ(d.boxes.rotated, known.layout.rotated);
  EXPECT_EQ(d.boxes.decoded, known.layout.decoded);
  EXPECT_EQ(d.boxes.numbers, known.layout.numbers);
  EXPECT_EQ(d.boxes.scores, known.layout.scores);
  EXPECT_EQ(d.activation, known.layout.scores);
  EXPECT_TRUE(d.activation_given);
  // What was found can be read.
  Shape shape = known.outputs[0].shape;
  if (!d.output.parts.empty()) shape = {1, shape[1], joined_numbers(known)};
  settle_format(d.boxes, shape, std::ssize(d.labels));
  EXPECT_EQ(classes_in(shape, d.boxes), known.classes);
}

constexpr auto kNone = ScoreActivation::kNone;
const BoxLayout kPlain{};
INSTANTIATE_TEST_SUITE_P(
    Guess, GuessBoxes,
    testing::Values(
        Known{"Yolov8",
              {columns(6)},
              0,
              "yolov8",
              6,
              kPlain,
              "output 0 (1x10x84) is taken for boxes of format yolov8, 6 classes; pictures in a "
              "letterbox"},
        Known{"Yolov8InShares",
              {columns(6, 0, 1)},
              0,
              "yolov8",
              6,
              {.numbers = BoxNumbers::kShares},
              "yolov8"},
        Known{"Segment",
              {columns(1, 4), maps(4, 16, 1)},
              0,
              "yolov8",
              1,
              {.extra = 4},
              "1 class, 4 numbers behind their scores"},
        Known{"Pose", {columns(1, 6)}, 0, "yolov8", 1, {.extra = 6}, "6 numbers behind"},
        Known{"Obb",
              {columns(3, 1)},
              0,
              "yolov8",
              3,
              {.extra = 1, .rotated = true},
              "turned by an angle"},
        Known{"ObbByLabels",
              {columns(4)},
              3,
              "yolov8",
              3,
              {.extra = 1, .rotated = true},
              "turned by an angle"},
        Known{"Yolov5", {rows(3 * kCells, 9)}, 0, "yolov5", 4, kPlain, "yolov5, 4 classes"},
        Known{"Yolox", {rows(kCells, 85)}, 0, "yolox", 80, kPlain, "80 classes (decoded)"},
        Known{"YoloxByLabels", {rows(kCells, 7)}, 2, "yolox", 2, kPlain, "BGR 0..255"},
        Known{"YoloxOffsets",
              {rows(kCells, 7, 1)},
              2,
              "yolox",
              2,
              {.decoded = false},
              "(not decoded)"},
        Known{"Yolov6",
              {table(kCells, 85,
                     [](std::int64_t row, std::int64_t column) {
                       return column == 4 ? 1.F : share(row, column) * (column < 4 ? 64.F : 1.F);
                     })},
              0,
              "yolov5",
              80,
              kPlain,
              "RGB 0..1"},
        Known{"Yolov8Transposed", {rows(kCells, 6)}, 2, "yolov8", 2, kPlain, "2 classes"},
        Known{"EndToEnd", {chosen(6)}, 0, "end-to-end", 0, kPlain, "end-to-end; pictures in a"},
        Known{"EndToEndSegment",
              {chosen(38), maps(32, 16, 1)},
              0,
              "end-to-end",
              0,
              kPlain,
              "end-to-end"},
        Known{"EndToEndObb",
              {chosen(7)},
              0,
              "end-to-end",
              0,
              {.numbers = BoxNumbers::kCentre, .rotated = true},
              "turned by an angle"},
        Known{"RtDetrOfUltralytics",
              {chosen(6, 1)},
              0,
              "end-to-end",
              0,
              {.numbers = BoxNumbers::kShares},
              "in shares of a stretched picture"},
        Known{
            "Detr",
            {logits(true, 0, "logits"), boxes_of_20(1, "pred_boxes")},
            0,
            "detr",
            5,
            {.scores = ScoreActivation::kSoftmax},
            "'pred_boxes' (1x20x4), 'logits' (1x20x5) are taken for boxes of format detr and their "
            "scores, a softmax whose last class is none; pictures stretched, as of ImageNet"},
        Known{"DetrByLabels",
              {logits(false, 0, "logits"), boxes_of_20(1, "pred_boxes")},
              4,
              "detr",
              5,
              {.scores = ScoreActivation::kSoftmax},
              "softmax"},
        Known{"RtDetr",
              {logits(false, 0, ""), boxes_of_20(1, "")},
              0,
              "detr",
              5,
              {.scores = ScoreActivation::kSigmoid},
              "by a sigmoid; pictures stretched, RGB 0..1"},
        Known{"RtDetrOfOneClass",
              {logits(false, 0, "", 1), boxes_of_20(1, "")},
              0,
              "detr",
              1,
              {.scores = ScoreActivation::kSigmoid},
              "by a sigmoid"},
        Known{"RfDetr",
              {boxes_of_20(0, "dets"), logits(false, 1, "labels")},
              0,
              "detr",
              5,
              {.scores = ScoreActivation::kSigmoid},
              "by a sigmoid; pictures stretched, as of Im"},
        Known{"YoloNas",
              {boxes_of_20(0, "", kSide), table(20, 3, share, 1)},
              0,
              "raw-heads",
              3,
              {.scores = kNone},
              "format raw-heads and their scores; pictures in a letterbox"}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(Guess, ALetterboxOfPlainPicturesGoesWithYolo) {
  ModelDescription d = undescribed();
  ASSERT_NE(guess_description({columns(6)}, d), "");
  EXPECT_EQ(d.resize, ResizeMode::kLetterbox);
  EXPECT_EQ(d.pad_align, PadAlign::kCenter);
  EXPECT_EQ(d.scale, 255);
  EXPECT_EQ(d.mean, (std::array<double, 3>{0, 0, 0}));
  EXPECT_EQ(d.std, (std::array<double, 3>{1, 1, 1}));
  ModelDescription yolox = undescribed(2);
  ASSERT_NE(guess_description({rows(kCells, 7)}, yolox), "");
  EXPECT_EQ(yolox.scale, 1);
  EXPECT_EQ(yolox.color, ColorOrder::kBgr);
  EXPECT_EQ(yolox.pad_align, PadAlign::kTopLeft);
}

TEST(Guess, BoxesAndScoresApartAreJoined) {
  ModelDescription d = undescribed();
  ASSERT_NE(guess_description({logits(true, 0, "logits"), boxes_of_20(1, "pred_boxes")}, d), "");
  ASSERT_EQ(d.output.parts.size(), 2U);
  EXPECT_EQ(d.output.parts[0].index, 1);
  EXPECT_EQ(d.output.parts[1].index, 0);
}

TEST(Guess, SegmentationsGiveAClassForEachPlace) {
  ModelDescription d = undescribed();
  EXPECT_EQ(guess_description({maps(19, 16)}, d),
            "output 0 (1x19x16x16) is taken for the class scores of each place (segmentation)");
  EXPECT_EQ(task_of(d).name, "segmentation");
  EXPECT_EQ(d.threshold, 0.5);
  ModelDescription named = undescribed();
  const Outputs both = {{{.index = {}, .name = "aux"}, "aux", {1, 21, 64, 64}},
                        {{.index = {}, .name = "out"}, "out", {1, 21, 64, 64}}};
  ASSERT_NE(guess_description(both, named), "");
  EXPECT_EQ(named.output.name, "out");
}

TEST(Guess, LogitsAmongOtherOutputsAreClassScores) {
  ModelDescription d = undescribed();
  const Outputs outputs = {{{.index = {}, .name = "hidden"}, "hidden", {1, 50, 32}},
                           {{.index = {}, .name = "logits"}, "logits", {1, 1000}}};
  EXPECT_NE(guess_description(outputs, d).find("'logits' (1x1000) is taken for class scores"),
            std::string::npos);
  EXPECT_EQ(d.output.name, "logits");
  EXPECT_EQ(task_of(d).name, "classification");
}

TEST(Guess, WhatLeavesDoubtIsLeftAlone) {
  const auto noise = [](std::int64_t row, std::int64_t column) {
    return share(row, column) * 200 - 100;
  };
  const NetworkOutput row{{.index = 0, .name = ""}, "", {1, 1000}};
  const std::pair<const char*, Outputs> doubtful[] = {
      {"nothing", {}},
      {"a row of scores", {row}},
      {"a row of scores in front", {row, columns(6)}},
      {"no grid", {table(10, 83, share)}},
      {"logits in the place of scores", {table(10, kCells, noise)}},
      {"boxes per row, yolox or not", {rows(kCells, 7)}},
      {"scores that do not fall", {table(30, 6, share)}},
      {"zeros", {table(30, 6, [](auto, auto) { return 0.F; })}},
      {"a picture", {maps(3, 64)}},
      {"a mask", {maps(1, 64)}},
      {"features", {maps(19, 2)}},
      {"many features", {maps(512, 16)}},
      {"two maps without names", {maps(19, 16), maps(19, 16, 1)}},
      {"boxes alone", {boxes_of_20(0, "pred_boxes")}},
      {"offsets from anchors", {table(20, 4, noise, 0, "boxes"), logits(false, 1, "scores")}},
      {"raw heads", {{{.index = 0, .name = ""}, "", {1, 3, 8, 8, 85}}}},
      {"other counts", {boxes_of_20(0, "boxes"), table(21, 5, share, 1, "scores")}}};
  for (const auto& [what, outputs] : doubtful) {
    ModelDescription d = undescribed();
    EXPECT_EQ(guess_description(outputs, d), "") << what;
    EXPECT_EQ(d.task, nullptr) << what;
    EXPECT_TRUE(d.output.parts.empty()) << what;
    EXPECT_EQ(d.resize, ResizeMode::kStretch) << what;
  }
}

TEST(Guess, ASmallerInputHasOtherGrids) {
  ModelDescription d = undescribed();
  d.input_width = 32;
  EXPECT_EQ(guess_description({columns(6)}, d), "");
}

TEST(Guess, OutputsAreListedByNameOrPlace) {
  EXPECT_EQ(listed_outputs({maps(3, 64, 0, "out"), maps(2, 8, 1)}),
            "'out' (1x3x64x64), output 1 (1x2x8x8)");
}

}  // namespace
}  // namespace gradcam
