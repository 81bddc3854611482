#include "stages/explain/import/front_of_selection.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/explain/import/openvino_models.h"

namespace gradcam {
namespace {

constexpr int kBoxes = 9;
using Suppression = ov::op::v9::NonMaxSuppression;

/// Some numbers of the picture, [1, rows, columns].
Port numbers_of(const Port& x, std::size_t rows, std::size_t columns, std::uint64_t seed) {
  const Port flat = add<op::Reshape>(x, ints({1, 48}), false);
  const Port mixed = add<op::MatMul>(flat, numbers({48, rows * columns}, seed), false, false);
  return add<op::Reshape>(
      mixed, ints({1, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}), false);
}

Port suppressed(const Port& boxes, const Port& scores,
                Suppression::BoxEncodingType encoding = Suppression::BoxEncodingType::CORNER) {
  const auto made = std::make_shared<Suppression>(boxes, scores, whole(5), number(0.5F),
                                                  number(0.1F), encoding, true, ov::element::i64);
  made->set_friendly_name("nms");
  return made->output(0);
}

/// The rows of [N, K] whose answer is yes.
Port chosen(const Port& rows, const Port& answers) {
  const Port places = add<op::Transpose>(add<op::NonZero>(answers, ov::element::i64), ints({1, 0}));
  return add<ov::op::v8::GatherND>(rows, places);
}

std::shared_ptr<ov::Model> model(const std::function<Port(const Port&)>& body) {
  return model_of({1, 3, 4, 4}, body);
}

const at::Tensor kPicture = tiny::seeded({1, 3, 4, 4}, 5);

at::Tensor value_of(const std::function<Port(const Port&)>& body) {
  return by_openvino(model(body), kPicture);
}

TEST(FrontOfSelection, ANetworkThatChoosesNothingStaysAsItIs) {
  const auto plain = model([](const Port& x) { return add<op::Relu>(x); });
  EXPECT_FALSE(in_front_of_selection(*plain, {}).has_value());
}

TEST(FrontOfSelection, WhatTheSuppressionTakesBecomesTheOutput) {
  const auto network = model([](const Port& x) {
    const Port scores = add<op::Sigmoid>(numbers_of(x, 3, kBoxes, 2));
    return suppressed(numbers_of(x, kBoxes, 4, 1), scores);
  });
  const auto front = in_front_of_selection(*network, {});
  ASSERT_TRUE(front.has_value());
  EXPECT_EQ(front->left_out, "NonMaxSuppression (nms)");
  ASSERT_TRUE(front->layout.has_value());
  EXPECT_EQ(front->layout->format, BoxFormat::kRawHeads);
  EXPECT_EQ(front->layout->background, -1);
  // Scores in front of the sigmoid, which explains better.
  EXPECT_EQ(front->layout->scores, ScoreActivation::kSigmoid);
  const at::Tensor found = by_openvino(front->model, kPicture);
  const at::Tensor boxes = value_of([](const Port& x) { return numbers_of(x, kBoxes, 4, 1); });
  const at::Tensor scores = value_of([](const Port& x) { return numbers_of(x, 3, kBoxes, 2); });
  const at::Tensor expected = at::cat({boxes, scores.transpose(1, 2)}, 2);
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LT((found - expected).abs().max().item<float>(), 1e-5);
}

TEST(FrontOfSelection, BoxesComeAsCornersInPixels) {
  const auto boxes = [](const Port& x) { return numbers_of(x, kBoxes, 4, 1); };
  const auto front = [&](Suppression::BoxEncodingType encoding, const BoxConvention& convention) {
    const auto network = model(
        [&](const Port& x) { return suppressed(boxes(x), numbers_of(x, 3, kBoxes, 2), encoding); });
    const auto found = in_front_of_selection(*network, convention);
    return by_openvino(found->model, kPicture).narrow(2, 0, 4)[0];
  };
  const at::Tensor own = value_of(boxes)[0];
  const at::Tensor centres = front(Suppression::BoxEncodingType::CENTER, {});
  const at::Tensor half = own.narrow(1, 2, 2) / 2;
  const at::Tensor middle = own.narrow(1, 0, 2);
  EXPECT_LT((centres - at::cat({middle - half, middle + half}, 1)).abs().max().item<float>(), 1e-5);
  const at::Tensor rows = front(Suppression::BoxEncodingType::CORNER, {true, true});
  const at::Tensor turned = own.index_select(1, at::tensor({1, 0, 3, 2})) * 4;  // of 4x4 pixels
  EXPECT_LT((rows - turned).abs().max().item<float>(), 1e-5);
}

/// As Ultralytics writes it: predictions [1, 4+C, N], of which those above a threshold go on.
TEST(FrontOfSelection, PredictionsThatAreTogetherAreTakenAsTheyAre) {
  const auto predictions = [](const Port& x) {
    const Port scores = add<op::Sigmoid>(numbers_of(x, 3, kBoxes, 2));
    return add<op::Concat>(ov::OutputVector{numbers_of(x, 4, kBoxes, 1), scores}, 1);
  };
  const auto network = model([&](const Port& x) {
    const Port rows = add<op::Reshape>(add<op::Transpose>(predictions(x), ints({0, 2, 1})),
                                       ints({kBoxes, 7}), false);
    const auto parts = std::make_shared<op::VariadicSplit>(rows, whole(1), ints({4, 3}));
    const Port best = add<op::ReduceMax>(parts->output(1), ints({1}), false);
    const Port answers = add<op::Greater>(best, number(0.3F));
    const Port boxes = add<op::Unsqueeze>(chosen(parts->output(0), answers), ints({0}));
    const Port scores = add<op::Unsqueeze>(chosen(best, answers), ints({0, 1}));
    return suppressed(boxes, scores);
  });
  const auto front = in_front_of_selection(*network, {});
  ASSERT_TRUE(front.has_value());
  EXPECT_FALSE(front->layout.has_value());
  const at::Tensor found = by_openvino(front->model, kPicture);
  EXPECT_EQ(found.sizes(), (std::vector<std::int64_t>{1, 7, kBoxes}));
  EXPECT_LT((found - value_of(predictions)).abs().max().item<float>(), 1e-5);
}

/// As torchvision's SSD: boxes and a softmax over the classes, each but the first chosen from
/// apart.
TEST(FrontOfSelection, BoxesAndScoresThatAreSortedOutAreJoined) {
  const auto network = model([](const Port& x) {
    const Port boxes = add<op::Squeeze>(numbers_of(x, kBoxes, 4, 1), ints({0}));
    const Port shares =
        add<op::Squeeze>(add<op::Softmax>(numbers_of(x, kBoxes, 3, 2), -1), ints({0}));
    ov::OutputVector kept_boxes;
    ov::OutputVector kept_scores;
    for (const int column : {1, 2}) {
      const Port scores = add<op::Gather>(shares, whole(column), whole(1));
      const Port answers = add<op::Greater>(scores, number(0.2F));
      kept_boxes.push_back(chosen(boxes, answers));
      kept_scores.push_back(chosen(scores, answers));
    }
    return suppressed(add<op::Unsqueeze>(add<op::Concat>(kept_boxes, 0), ints({0})),
                      add<op::Unsqueeze>(add<op::Concat>(kept_scores, 0), ints({0, 1})));
  });
  const auto front = in_front_of_selection(*network, {});
  ASSERT_TRUE(front.has_value());
  ASSERT_TRUE(front->layout.has_value());
  EXPECT_EQ(front->layout->scores, ScoreActivation::kSoftmax);
  EXPECT_EQ(front->layout->background, 0);
  const at::Tensor found = by_openvino(front->model, kPicture);
  const at::Tensor boxes = value_of([](const Port& x) { return numbers_of(x, kBoxes, 4, 1); });
  const at::Tensor scores = value_of([](const Port& x) { return numbers_of(x, kBoxes, 3, 2); });
  EXPECT_LT((found - at::cat({boxes, scores}, 2)).abs().max().item<float>(), 1e-5);
}

TEST(FrontOfSelection, ADetectorOfTwoStagesIsRefusedByItsOperations) {
  const auto network = model([](const Port& x) {
    const Port places = suppressed(numbers_of(x, kBoxes, 4, 1), numbers_of(x, 3, kBoxes, 2));
    const Port regions =
        add<op::Convert>(add<op::Slice>(places, ints({0}), ints({3}), ints({1})), ov::element::f32);
    const Port boxes = add<op::Concat>(ov::OutputVector{regions, numbers({3, 1}, 4)}, 1);
    const auto looked = std::make_shared<op::ROIAlign>(
        x, boxes, op::Constant::create(ov::element::i64, {3}, {0, 0, 0}), 2, 2, 2, 1.0F,
        op::ROIAlign::PoolingMode::AVG, op::ROIAlign::AlignedMode::ASYMMETRIC);
    looked->set_friendly_name("regions");
    return Port(looked);
  });
  try {
    in_front_of_selection(*network, {});
    FAIL();
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("NonMaxSuppression (nms)"), std::string::npos) << what;
    EXPECT_NE(what.find("ROIAlign (regions)"), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace gradcam
