#include "stages/explain/tasks/targets.h"

#include <gtest/gtest.h>

#include <ostream>

#include "config/user_error.h"

namespace gradcam {
namespace {

const std::vector<std::string> kLabels = {"tench", "cock", "hen", "limousine"};

TEST(Targets, AutoIsTheBestClass) {
  const TargetChoice choice = parse_target("auto", Task::kClassification, kLabels, 4);
  EXPECT_EQ(choice.best, 1);
  EXPECT_EQ(choice.index, -1);
}

TEST(Targets, TopKTakesKClasses) {
  EXPECT_EQ(parse_target("top:3", Task::kClassification, kLabels, 4).best, 3);
}

TEST(Targets, IndexAndLabelNameOneClass) {
  EXPECT_EQ(parse_target("2", Task::kClassification, kLabels, 4).index, 2);
  EXPECT_EQ(parse_target("Cock", Task::kClassification, kLabels, 4).index, 1);
}

struct Refused {
  const char* text;
  const char* mentions;
};
std::ostream& operator<<(std::ostream& out, const Refused& refused) { return out << refused.text; }

class RefusedTarget : public testing::TestWithParam<Refused> {};

TEST_P(RefusedTarget, NamesWhatIsAllowed) {
  try {
    parse_target(GetParam().text, Task::kClassification, kLabels, 4);
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    const std::string text = error.what();
    EXPECT_NE(text.find(GetParam().mentions), std::string::npos) << text;
    EXPECT_EQ(text.rfind(std::string("--target ") + GetParam().text, 0), 0U) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, RefusedTarget,
                         testing::Values(Refused{"4", "0..3"}, Refused{"-1", "0..3"},
                                         Refused{"top:0", "top:1 to top:4"},
                                         Refused{"top:5", "top:1 to top:4"},
                                         Refused{"top:x", "top:1 to top:4"},
                                         Refused{"limosine", "near labels: limousine"}));

TEST(Targets, EachTaskHasItsWords) {
  using Push = TargetChoice::Push;
  const auto target = [](const std::string& text, Task task) {
    return parse_target(text, task, kLabels, 4);
  };
  EXPECT_EQ(target("up", Task::kRegression).push, Push::kUp);
  EXPECT_EQ(target("down", Task::kRegression).push, Push::kDown);
  EXPECT_TRUE(target("all", Task::kDetection).all);
  EXPECT_EQ(target("box:7", Task::kDetection).box, 7);
  EXPECT_EQ(target("box", Task::kDetection).best, 1);
  EXPECT_EQ(target("hen", Task::kDetection).index, 2);
  EXPECT_THROW(target("box:0", Task::kDetection), UserError);
  EXPECT_THROW(target("up", Task::kClassification), UserError);
  EXPECT_THROW(target("top:2", Task::kRegression), UserError);
  EXPECT_THROW(target("1", Task::kEmbedding), UserError);
}

TEST(Targets, ALabelBeyondTheModelsClassesIsRefused) {
  try {
    parse_target("limousine", Task::kClassification, kLabels, 3);
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_STREQ(error.what(), "--target limousine: is class 3; this model has classes 0..2");
  }
}

TEST(Targets, TopKOfADetectorCountsBoxes) {
  EXPECT_EQ(parse_target("top:9", Task::kDetection, {"face"}, 1).best, 9);
  EXPECT_THROW(parse_target("top:0", Task::kDetection, {"face"}, 1), UserError);
}

TEST(Targets, LabelsAreNeededForALabel) {
  EXPECT_THROW(parse_target("cock", Task::kClassification, {}, 4), UserError);
}

TEST(Targets, BestClassesComeBestFirstAndTiesByIndex) {
  EXPECT_EQ(best_classes({0.1F, 0.4F, 0.1F, 0.4F}, 3), (std::vector<int>{1, 3, 0}));
  EXPECT_EQ(best_classes({0.3F, 0.7F}, 5), (std::vector<int>{1, 0}));
}

TEST(Targets, AClassWithoutLabelHasNone) {
  const ClassScore score = class_score(1, {0.25F, 0.75F}, {"only one"});
  EXPECT_EQ(score.label, "");
  EXPECT_EQ(score.score, 0.75F);
}

}  // namespace
}  // namespace gradcam
