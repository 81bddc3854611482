#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <iterator>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "stages/explain/tasks/decode_boxes.h"
#include "tests/explain/tasks/decoding.h"

/// Boxes that come with more than class scores, are chosen already or lie in shares of the picture.
namespace gradcam {
namespace {

const BoxLayout kYolov8Of2{.format = BoxFormat::kYolov8, .classes = 2};
const BoxLayout kRawOf2{.format = BoxFormat::kRawHeads, .classes = 2};

TEST(Decode, NumbersBehindTheClassScoresAreOfNoClass) {
  // One class and two coefficients of a mask, which are larger than any score.
  const BoxLayout masks{.format = BoxFormat::kYolov8, .extra = 2};
  std::vector<float> output(7 * 8, 0.F);
  const std::array<float, 7> box = {10, 10, 4, 4, 0.6F, 9, 9};
  for (std::size_t number = 0; number < 7; ++number) output[number * 8 + 3] = box.at(number);
  const auto found = decoded(output, {1, 7, 8}, masks);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].index, 0);
  EXPECT_EQ(found[0].score, 0.6F);
  expect_term(found[0].by_class, 4 * 8 + 3, 1);
  EXPECT_EQ(classes_in(Shape{7, 8}, masks), 1);
  const BoxLayout rows{.format = BoxFormat::kYolov5, .extra = 2};
  EXPECT_EQ(decoded({10, 10, 4, 4, 1, 0.6F, 0.5F, 9, 9}, {1, 9}, rows).at(0).index, 0);
}

TEST(Decode, ATurnedBoxIsDrawnAsTheUprightOneAroundIt) {
  const float right_angle = std::acos(0.F);
  BoxLayout turned{.format = BoxFormat::kYolov8, .classes = 1, .extra = 1, .rotated = true};
  const auto box = [&](float angle) {
    return decoded({20, 10, 8, 4, 0.9F, angle}, {1, 6}, turned).at(0).box;
  };
  expect_box(box(0), {16, 8, 24, 12});
  expect_box(box(right_angle), {18, 6, 22, 14});
  expect_box(box(-right_angle), {18, 6, 22, 14});
  const float half = 12 * std::sqrt(0.5F) / 2;  // (8 + 4) cos 45°
  expect_box(box(right_angle / 2), {20 - half, 10 - half, 20 + half, 10 + half});
  turned.format = BoxFormat::kEndToEnd;
  turned.numbers = BoxNumbers::kCentre;
  expect_box(decoded({20, 10, 8, 4, 0.9F, 3, right_angle}, {1, 7}, turned).at(0).box,
             {18, 6, 22, 14});
}

TEST(Decode, EndToEndRowsSayScoreAndClass) {
  const BoxLayout chosen{.format = BoxFormat::kEndToEnd};
  const std::vector<float> output = {1, 2, 30, 40, 0.9F, 57, 7,  7,    // coefficients behind
                                     1, 2, 30, 40, 0.2F, 3,  -7, -7};  // below the threshold
  const auto found = decoded(output, {1, 2, 8}, chosen);
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0].box, {1, 2, 30, 40});
  EXPECT_EQ(found[0].index, 57);
  EXPECT_EQ(found[0].score, 0.9F);
  const Seed seed = scalar_of(found[0]).seed(output);
  ASSERT_EQ(seed.size(), 1U);
  expect_term(seed[0], 4, 1);
}

TEST(Decode, EndToEndRowsWithoutAClassFillUp) {
  const BoxLayout chosen{.format = BoxFormat::kEndToEnd};
  EXPECT_TRUE(decoded({1, 2, 30, 40, 0.9F, -1}, {1, 6}, chosen).empty());
}

TEST(Decode, AClassBetweenTwoIsRefused) {
  const BoxLayout chosen{.format = BoxFormat::kEndToEnd};
  for (const float index : {0.5F, 1e9F}) {
    EXPECT_THROW(decoded({1, 2, 30, 40, 0.9F, index}, {1, 6}, chosen), std::runtime_error);
  }
}

TEST(Decode, SharesAreOfWidthAndHeightOfTheInput) {
  BoxLayout shares{.format = BoxFormat::kDetr};
  const auto found = decode(std::vector<float>{0.5F, 0.25F, 0.5F, 0.25F, 0.1F, 0.8F}, Shape{1, 6},
                            shares, 40, 80, 0.3F);
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0].box, {20, 5, 60, 15});
  EXPECT_EQ(found[0].index, 1);
  shares.format = BoxFormat::kEndToEnd;  // RT-DETR of Ultralytics
  shares.numbers = BoxNumbers::kShares;
  const auto chosen = decode(std::vector<float>{0.5F, 0.25F, 0.5F, 0.25F, 0.8F, 4}, Shape{1, 6},
                             shares, 40, 80, 0.3F);
  expect_box(chosen.at(0).box, {20, 5, 60, 15});
  EXPECT_EQ(chosen[0].index, 4);
}

TEST(Decode, LogitsOfADetrGoThroughASigmoid) {
  const BoxLayout detr{.format = BoxFormat::kDetr, .scores = ScoreActivation::kSigmoid};
  const auto found = decoded({0.5F, 0.5F, 1, 1, -3, 0}, {1, 6}, detr);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].score, 0.5F);
  expect_term(found[0].by_class, 5, 0.25F);
}

struct Implausible {
  const char* what;
  std::vector<float> output;  ///< of two boxes
  BoxLayout layout;
  const char* mentions;  ///< empty = it is plausible
};
std::ostream& operator<<(std::ostream& out, const Implausible& of) { return out << of.what; }

class PlausibleBoxes : public testing::TestWithParam<Implausible> {};

TEST_P(PlausibleBoxes, AreToldFromOtherNumbers) {
  const auto& [what, output, layout, mentions] = GetParam();
  const Shape shape{2, std::ssize(output) / 2};
  std::string text;
  try {
    require_plausible(output, shape, layout);
  } catch (const std::runtime_error& error) {
    text = error.what();
  }
  EXPECT_EQ(text.empty(), std::string(mentions).empty()) << text;
  EXPECT_NE(text.find(mentions), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

const BoxLayout kDetrOfLogits{.format = BoxFormat::kDetr, .scores = ScoreActivation::kSigmoid};
const BoxLayout kShareless{.format = BoxFormat::kRawHeads, .scores = ScoreActivation::kSigmoid};
INSTANTIATE_TEST_SUITE_P(
    Decode, PlausibleBoxes,
    testing::Values(
        Implausible{"Corners", {1, 2, 30, 40, 0, 1, 5, 5, 5, 5, 0, 1}, kRawOf2, ""},
        // Class scores, as of a DETR of which the boxes were left out.
        Implausible{"ClassScores",
                    {-3, -4, -5, 1, 2, -1, 2, 1, -6, -6, -6, 3},
                    kShareless,
                    "of 2 boxes 2 have x2 < x1 or y2 < y1"},
        Implausible{"OneReversed", {1, 2, 30, 40, 0, 1, 5, 5, 4, 5, 0, 1}, kRawOf2, ""},
        Implausible{"Shares", {0.5F, 0.5F, 1, 1, -3, 2, 0, 0, 1.2F, 1, 9, 9}, kDetrOfLogits, ""},
        Implausible{"PixelsForShares",
                    {50, 50, 9, 9, -3, 2, 0, 0, 9, 9, 9, 9},
                    kDetrOfLogits,
                    "format detr wants boxes in shares 0..1 of the picture, and theirs reach 50"},
        Implausible{"LogitsForScores",
                    {1, 2, 30, 40, 0, 4, 5, 5, 5, 5, 0, 1},
                    kRawOf2,
                    "reach 4.000000; output.activation"},
        Implausible{"CoefficientsForScores",
                    {1, 2, 30, 40, 0, 4, 5, 5, 5, 5, 0, 1},
                    kYolov8Of2,
                    "reach 4.000000; output.extra"},
        Implausible{"RoundedScores", {1, 2, 30, 40, 0, 1.0001F, 5, 5, 5, 5, 0, 1}, kYolov8Of2, ""}),
    [](const auto& test) { return std::string(test.param.what); });

}  // namespace
}  // namespace gradcam
