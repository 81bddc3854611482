#include "stages/explain/tasks/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using Shape = std::vector<std::int64_t>;

/// An output of the first of some usual shapes that the task takes.
struct Output {
  Shape shape;
  std::vector<float> values;
};

Output output_for(const Task& task) {
  for (const Shape& shape : {Shape{4}, Shape{3, 2, 2}, Shape{2, 7}}) {
    try {
      task.classes(shape, {});
    } catch (const std::runtime_error&) {
      continue;
    }
    std::int64_t numbers = 1;
    for (const std::int64_t size : shape) numbers *= size;
    return {shape, std::vector<float>(static_cast<std::size_t>(numbers), 0.75F)};
  }
  ADD_FAILURE() << task.name << " takes none of the shapes";
  return {};
}

TEST(Tasks, NamesAreDistinctAndInOrder) {
  const auto not_before = [](const Task* a, const Task* b) { return a->name >= b->name; };
  const auto tasks = all_tasks();
  EXPECT_EQ(std::ranges::adjacent_find(tasks, not_before), tasks.end());
  for (const Task* task : all_tasks()) {
    EXPECT_FALSE(task->name.empty());
    EXPECT_FALSE(task->networks.empty()) << task->name;
    EXPECT_EQ(&find_task(task->name), task);
  }
  EXPECT_THROW(find_task("poetry"), std::out_of_range);
}

TEST(Tasks, EachReadsAnOutputAndExplainsSomethingOfIt) {
  ReadingOptions options;
  options.reference = std::make_shared<const std::vector<float>>(std::vector<float>{1, 0, 1, 0});
  for (const Task* task : all_tasks()) {
    ModelDescription description;
    description.task = task;
    description.activation = task->activation;
    const Output output = output_for(*task);
    const OutputReading reading = read_output({output.values, output.shape}, description, options);
    EXPECT_FALSE(reading.top.empty()) << task->name;
    ASSERT_FALSE(reading.targets.empty()) << task->name;
    const ExplainedTarget& target = reading.targets[0];
    EXPECT_FALSE(target.scalar.seed(output.values).empty()) << task->name;
    EXPECT_EQ(target.box.has_value(), task->boxes) << task->name;
    EXPECT_EQ(reading.classes.has_value(), task->places) << task->name;
    EXPECT_FALSE(task->same_target({}, target.class_score).automatic) << task->name;
  }
}

TEST(Tasks, EachTakesAutoAndRefusesWhatItDoesNotKnow) {
  for (const Task* task : all_tasks()) {
    EXPECT_EQ(parse_target("auto", *task, {}, 4), TargetChoice()) << task->name;
    EXPECT_USER_ERROR(parse_target("nonsense", *task, {}, 4), ExitCode::kUsage,
                      "--target nonsense: ");
  }
}

TEST(Tasks, ADescriptionWithoutOneIsOfAClassifier) {
  EXPECT_EQ(task_of({}).name, "classification");
  EXPECT_EQ(task_of({}).activation, ModelDescription().activation);
}

}  // namespace
}  // namespace gradcam
