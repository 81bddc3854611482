#include "stages/explain/tasks/output_reading.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "config/user_error.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

using Shape = std::vector<std::int64_t>;
using Values = std::vector<float>;

/// Of a task with its usual activation.
OutputReading reading_of(const char* task, const Values& output, const Shape& shape,
                         const TargetChoice& target, ModelDescription description = {}) {
  description.task = &find_task(task);
  description.activation = description.task->activation;
  return read_output({output, shape}, description, {target, false, nullptr});
}

std::vector<int> indices(const OutputReading& reading) {
  std::vector<int> all;
  for (const ExplainedTarget& target : reading.targets) all.push_back(target.class_score.index);
  return all;
}

TEST(OutputReading, ClassificationExplainsTheRawScoreOfTheBestClass) {
  const Values output{1, 3, 2};
  const OutputReading reading = reading_of("classification", output, {3}, {});
  EXPECT_EQ(indices(reading), std::vector<int>{1});
  EXPECT_NEAR(reading.targets[0].class_score.score, std::exp(2) / (1 + std::exp(2) + std::exp(1)),
              1e-6);
  EXPECT_DOUBLE_EQ(reading.targets[0].scalar.value(output), 3);
  ASSERT_EQ(reading.top.size(), 3U);
  EXPECT_EQ(reading.top[1].index, 2);
}

/// Of a classifier that gives one number, after the description has been completed.
OutputReading of_one_number(float number, std::vector<std::string> labels,
                            const TargetChoice& target = {}) {
  ModelDescription description;
  description.labels = std::move(labels);
  const Task& task = task_of(description);
  const Shape shape{1};
  task.complete(description, shape);
  task.complete(description, shape);  // changes nothing
  EXPECT_EQ(task.classes(shape, description), 2);
  return read_output({Values{number}, shape}, description, {target, false, nullptr});
}

TEST(OutputReading, OneNumberIsTheShareOfAClassAndItsContrary) {
  const float share = 1 / (1 + std::exp(1.5F));
  const OutputReading reading = of_one_number(-1.5F, {"red"});
  ASSERT_EQ(reading.top.size(), 2U);
  EXPECT_EQ(reading.top[0].label, "not red");
  EXPECT_EQ(reading.top[0].index, 1);
  EXPECT_NEAR(reading.top[0].score, 1 - share, 1e-6);
  EXPECT_EQ(reading.top[1].label, "red");
  EXPECT_NEAR(reading.top[1].score, share, 1e-6);
  // What speaks for the side that won is what makes the number smaller.
  EXPECT_EQ(indices(reading), std::vector<int>{1});
  EXPECT_DOUBLE_EQ(reading.targets[0].scalar.value(Values{-1.5F}), 1.5);
  EXPECT_EQ(indices(of_one_number(0.25F, {"red"})), std::vector<int>{0});
}

TEST(OutputReading, OneNumberSpeaksForTheSecondOfTwoLabels) {
  const OutputReading reading = of_one_number(1.5F, {"cat", "dog"});
  EXPECT_EQ(reading.top.at(0).label, "dog");
  EXPECT_EQ(reading.top[0].index, 1);
  EXPECT_NEAR(reading.top[0].score, 1 / (1 + std::exp(-1.5)), 1e-6);
  EXPECT_DOUBLE_EQ(reading.targets.at(0).scalar.value(Values{1.5F}), 1.5);
  const OutputReading other = of_one_number(1.5F, {"cat", "dog"}, {.index = 0});
  EXPECT_DOUBLE_EQ(other.targets.at(0).scalar.value(Values{1.5F}), -1.5);
}

TEST(OutputReading, OneNumberWithoutLabelsIsThatOfClassZero) {
  const OutputReading reading = of_one_number(1.5F, {}, {.best = 2});
  EXPECT_EQ(indices(reading), (std::vector<int>{0, 1}));
  EXPECT_NEAR(reading.top.at(0).score, 1 / (1 + std::exp(-1.5)), 1e-6);
  EXPECT_DOUBLE_EQ(reading.targets[1].scalar.value(Values{1.5F}), -1.5);
}

/// Of one channel at 1x4 places.
OutputReading mask(const Values& output, ModelDescription description = {},
                   const Shape& shape = {1, 1, 4}) {
  description.task = &find_task("segmentation");
  description.task->complete(description, shape);
  return read_output({output, shape}, description, {});
}

TEST(OutputReading, AMaskCountsWhereItIsAboveOneHalf) {
  ModelDescription description;
  description.threshold = find_task("segmentation").usual_threshold;
  description.labels = {"red"};
  const OutputReading reading = mask({-5, 3, 0, -0.1F}, description);
  ASSERT_EQ(reading.top.size(), 1U);
  EXPECT_EQ(reading.top[0].label, "red");
  EXPECT_FLOAT_EQ(reading.top[0].score, 0.25F);
  EXPECT_EQ(
      reading.classes->classes,
      (std::vector<std::uint16_t>{ClassMap::kNoClass, 0, ClassMap::kNoClass, ClassMap::kNoClass}));
  EXPECT_DOUBLE_EQ(reading.targets.at(0).scalar.value(Values{-5, 3, 0, -0.1F}), 3);
}

TEST(OutputReading, AMaskFollowsTheThresholdOfTheDescription) {
  ModelDescription description;
  description.threshold = 0.9;  // 2.197
  EXPECT_FLOAT_EQ(mask({-5, 3, 2, 2.3F}, description).top.at(0).score, 0.5F);
  description.threshold = 0.001;
  EXPECT_FLOAT_EQ(mask({-5, 3, 2, 2.3F}, description).top.at(0).score, 1);
}

TEST(OutputReading, AMaskMayLackItsChannel) {
  EXPECT_EQ(find_task("segmentation").classes(Shape{2, 2}, {}), 1);
  const OutputReading reading = mask({-5, 3, 2, 2.3F}, {}, {2, 2});
  EXPECT_FLOAT_EQ(reading.top.at(0).score, 0.75F);
  EXPECT_EQ(reading.classes->width, 2);
}

TEST(OutputReading, AMaskOfSharesGetsNoSecondSigmoid) {
  ModelDescription description;
  description.threshold = 0.5;
  description.activation = ScoreActivation::kNone;
  description.activation_given = true;
  EXPECT_FLOAT_EQ(mask({0.1F, 0.4F, 0.6F, 0.9F}, description).top.at(0).score, 0.5F);
}

TEST(OutputReading, OfTwoLabelsOfAMaskTheSecondIsTheClass) {
  ModelDescription description;
  description.labels = {"background", "road"};
  EXPECT_EQ(mask({-5, 3, 0, -0.1F}, description).top.at(0).label, "road");
}

TEST(OutputReading, MultilabelExplainsAllLabelsAboveTheThreshold) {
  ModelDescription description;
  description.threshold = 0.5;
  EXPECT_EQ(indices(reading_of("multilabel", {-1, 3, 2, -4}, {4}, {}, description)),
            (std::vector<int>{1, 2}));
}

TEST(OutputReading, MultilabelWithNothingThereExplainsTheNearest) {
  ModelDescription description;
  description.threshold = 0.5;
  EXPECT_EQ(indices(reading_of("multilabel", {-1, -3, -2}, {3}, {}, description)),
            std::vector<int>{0});
}

TEST(OutputReading, RegressionIsPushedUpOrDown) {
  using Push = TargetChoice::Push;
  const Values left{-0.25F};
  const auto slope = [&](Push push) {
    TargetChoice target;
    target.push = push;
    const OutputReading reading = reading_of("regression", left, {1}, target);
    EXPECT_FLOAT_EQ(reading.top.at(0).score, -0.25F);
    return reading.targets.at(0).scalar.seed(left).at(0).weight;
  };
  EXPECT_EQ(slope(Push::kUp), 1);
  EXPECT_EQ(slope(Push::kDown), -1);
  EXPECT_EQ(slope(Push::kKeep), -1);  // what speaks for the left it has
}

TEST(OutputReading, SegmentationExplainsTheMeanOverTheMaskOfTheLargestClass) {
  // Two classes at 1x3 places: the second is the best at two of them.
  const Values output{5, 0, 0, 1, 4, 2};
  const OutputReading reading = reading_of("segmentation", output, {2, 1, 3}, {});
  EXPECT_EQ(indices(reading), std::vector<int>{1});
  EXPECT_NEAR(reading.targets[0].class_score.score, 2.0 / 3, 1e-6);
  EXPECT_DOUBLE_EQ(reading.targets[0].scalar.value(output), 3);
  ASSERT_TRUE(reading.classes.has_value());
  EXPECT_EQ(reading.classes->classes, (std::vector<std::uint16_t>{0, 1, 1}));
}

TEST(OutputReading, SegmentationOfAClassThatIsNowhereTakesAllPlaces) {
  const Values output{5, 5, 5, 1, 4, 1};
  const OutputReading reading =
      reading_of("segmentation", output, {2, 1, 3}, {.index = 1, .automatic = false});
  EXPECT_EQ(reading.targets.at(0).class_score.score, 0);
  EXPECT_NEAR(reading.targets[0].scalar.value(output), 2, 1e-6);
}

/// Four YOLOX boxes of two classes: two that overlap, one apart, one of the other class.
const Values kBoxes{10, 10, 8, 8, 1, 0.9F, 0,     //
                    11, 10, 8, 8, 1, 0.8F, 0,     // the same object
                    40, 40, 8, 8, 1, 0.7F, 0,     //
                    25, 25, 8, 8, 1, 0,    0.6F,  //
                    50, 10, 8, 8, 1, 0.1F, 0};    // below the threshold

OutputReading boxes(const TargetChoice& target, StreamMemory* memory = nullptr) {
  ModelDescription description;
  description.task = &find_task("detection");
  description.input_height = 64;
  description.input_width = 64;
  description.labels = {"car", "bus"};
  description.boxes.format = BoxFormat::kYolox;
  return read_output({kBoxes, Shape{5, 7}}, description, {target, false, nullptr, memory});
}

TEST(OutputReading, DetectionFindsEachObjectOnceAndExplainsTheBest) {
  const OutputReading reading = boxes({});
  ASSERT_EQ(reading.objects.size(), 3U);
  EXPECT_TRUE(reading.objects[0].explained);
  EXPECT_FALSE(reading.objects[1].explained);
  EXPECT_EQ(reading.objects[2].label, "bus");
  ASSERT_EQ(reading.targets.size(), 1U);
  EXPECT_NEAR(reading.targets[0].scalar.value(kBoxes), 0.9, 1e-6);
  ASSERT_TRUE(reading.targets[0].box.has_value());
  EXPECT_FLOAT_EQ(reading.targets[0].box->x1, 6);
  EXPECT_EQ(reading.targets[0].box_numbers, (std::vector<std::int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(boxes({.rank = 3}).targets.at(0).box_numbers,
            (std::vector<std::int64_t>{21, 22, 23, 24}));
}

TEST(OutputReading, DetectionExplainsAllBoxesOrThoseOfAClass) {
  EXPECT_EQ(indices(boxes({.automatic = false, .all = true})), (std::vector<int>{0, 0, 1}));
  EXPECT_EQ(indices(boxes({.index = 0, .automatic = false})), (std::vector<int>{0, 0}));
  EXPECT_EQ(indices(boxes({.index = 1, .automatic = false})), std::vector<int>{1});
  EXPECT_EQ(indices(boxes({.best = 2})), (std::vector<int>{0, 0}));
  EXPECT_EQ(indices(boxes({.rank = 3})), std::vector<int>{1});
}

TEST(OutputReading, DetectionExplainsTheBoxWithAnIdentity) {
  StreamMemory memory;
  const OutputReading reading = boxes({.automatic = false, .box = 2}, &memory);
  EXPECT_EQ(reading.objects.at(1).id, 2);
  EXPECT_TRUE(reading.objects[1].explained);
  EXPECT_EQ(reading.targets.size(), 1U);
  EXPECT_TRUE(boxes({.automatic = false, .box = 9}, &memory).targets.empty());
}

TEST(OutputReading, BoxesThatTheNetworkChoseAllCount) {
  ModelDescription description;
  description.task = &find_task("detection");
  description.boxes.format = BoxFormat::kEndToEnd;
  const Values output{10, 10, 20, 20, 0.8F, 0,  //
                      10, 10, 20, 20, 0.9F, 0,  // another object behind the first
                      11, 10, 20, 20, 0.1F, 0};
  const OutputReading reading = read_output({output, Shape{3, 6}}, description, {});
  ASSERT_EQ(reading.objects.size(), 2U);
  EXPECT_EQ(reading.objects[0].score, 0.9F);
  EXPECT_DOUBLE_EQ(reading.targets.at(0).scalar.value(output), output[10]);
}

TEST(OutputReading, EmbeddingIsComparedWithTheReference) {
  ModelDescription description;
  description.task = &find_task("embedding");
  const auto reference = std::make_shared<const Values>(Values{3, 4});
  const Values output{4, 3};
  const OutputReading reading =
      read_output({output, Shape{2}}, description, {{}, false, reference});
  EXPECT_NEAR(reading.targets.at(0).class_score.score, 24.0 / 25, 1e-6);
}

TEST(OutputReading, AutoStaysWithAClassUntilAnotherLeadsByTheHysteresis) {
  StreamMemory memory;
  ModelDescription description;
  description.activation = ScoreActivation::kNone;
  const auto best_of = [&](const Values& output, double hysteresis) {
    ReadingOptions options{{}, false, nullptr, &memory};
    options.hysteresis = hysteresis;
    return indices(read_output({output, Shape{2}}, description, options)).at(0);
  };
  EXPECT_EQ(best_of({0.6F, 0.4F}, 0.2), 0);
  EXPECT_EQ(best_of({0.45F, 0.55F}, 0.2), 0);
  EXPECT_EQ(best_of({0.35F, 0.65F}, 0.2), 1);
  EXPECT_EQ(best_of({0.55F, 0.45F}, 0.2), 1);
  EXPECT_EQ(best_of({0.55F, 0.45F}, 0), 0);
}

TEST(OutputReading, SegmentationOfARegionLooksAtNothingElse) {
  ModelDescription description;
  description.task = &find_task("segmentation");
  const Values output{5, 0, 0, 0, 1, 4, 2, 3};
  ReadingOptions options;
  options.region = {0.5, 0, 1, 1};
  const OutputReading reading = read_output({output, Shape{2, 1, 4}}, description, options);
  EXPECT_EQ(reading.targets.at(0).class_score.index, 1);
  EXPECT_DOUBLE_EQ(reading.targets[0].scalar.value(output), 2.5);
  EXPECT_FLOAT_EQ(reading.targets[0].class_score.score, 1);  // its share of the region
}

TEST(OutputReading, ARankOfSeveralValuesIsTheirPlace) {
  ModelDescription description;
  description.task = &find_task("regression");
  description.activation = ScoreActivation::kNone;
  ReadingOptions options;
  options.target.rank = 2;
  const Values output{3, -1};
  EXPECT_EQ(read_output({output, Shape{2}}, description, options).targets.at(0).class_score.index,
            1);
  options.target.rank = 5;  // beyond the last
  EXPECT_EQ(read_output({output, Shape{2}}, description, options).targets.at(0).class_score.index,
            1);
}

TEST(OutputReading, NanIsAnError) {
  const Values output{1, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_THROW(reading_of("classification", output, {2}, {}), std::runtime_error);
}

TEST(OutputReading, ShapeThatIsNotOfTheTaskNamesTheModelAndWhatIsWanted) {
  ModelDescription description;
  EXPECT_EQ(classes_of(description, Shape{7}, "m.pt"), 7);
  EXPECT_EQ(classes_of(description, Shape{7, 1, 1}, "m.pt"), 7);
  try {
    classes_of(description, Shape{20, 8, 16}, "m.pt");
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kModel);
    EXPECT_STREQ(error.what(),
                 "model 'm.pt': gives 20x8x16 numbers for a picture, task classification wants one "
                 "row of scores; the description's task says what they mean");
  }
  description.task = &find_task("detection");
  EXPECT_EQ(classes_of(description, Shape{3549, 85}, "m.pt"), 80);
  EXPECT_THROW(classes_of(description, Shape{85}, "m.pt"), UserError);
  description.task = &find_task("segmentation");
  EXPECT_EQ(classes_of(description, Shape{20, 8, 16}, "m.pt"), 20);
  EXPECT_THROW(classes_of(description, Shape{20}, "m.pt"), UserError);
}

}  // namespace
}  // namespace gradcam
