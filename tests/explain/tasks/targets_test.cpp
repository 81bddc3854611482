#include "stages/explain/tasks/targets.h"

#include <gtest/gtest.h>

#include <ostream>

#include "config/user_error.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

const std::vector<std::string> kLabels = {"tench", "cock", "hen", "limousine"};

TEST(Targets, AutoIsTheBestClass) {
  const TargetChoice choice = parse_target("auto", find_task("classification"), kLabels, 4);
  EXPECT_EQ(choice.best, 1);
  EXPECT_EQ(choice.index, -1);
}

TEST(Targets, TopKTakesKClasses) {
  EXPECT_EQ(parse_target("top:3", find_task("classification"), kLabels, 4).best, 3);
}

TEST(Targets, IndexAndLabelNameOneClass) {
  EXPECT_EQ(parse_target("2", find_task("classification"), kLabels, 4).index, 2);
  EXPECT_EQ(parse_target("Cock", find_task("classification"), kLabels, 4).index, 1);
}

struct Refused {
  const char* text;
  const char* mentions;
};
std::ostream& operator<<(std::ostream& out, const Refused& refused) { return out << refused.text; }

class RefusedTarget : public testing::TestWithParam<Refused> {};

TEST_P(RefusedTarget, NamesWhatIsAllowed) {
  try {
    parse_target(GetParam().text, find_task("classification"), kLabels, 4);
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
  const auto target = [](const std::string& text, const char* task) {
    return parse_target(text, find_task(task), kLabels, 4);
  };
  EXPECT_EQ(target("up", "regression").push, Push::kUp);
  EXPECT_EQ(target("down", "regression").push, Push::kDown);
  EXPECT_TRUE(target("all", "detection").all);
  EXPECT_EQ(target("box:7", "detection").box, 7);
  EXPECT_EQ(target("box", "detection").best, 1);
  EXPECT_EQ(target("hen", "detection").index, 2);
  EXPECT_THROW(target("box:0", "detection"), UserError);
  EXPECT_THROW(target("up", "classification"), UserError);
  EXPECT_THROW(target("top:2", "regression"), UserError);
  EXPECT_THROW(target("1", "embedding"), UserError);
}

TEST(Targets, ALabelBeyondTheModelsClassesIsRefused) {
  try {
    parse_target("limousine", find_task("classification"), kLabels, 3);
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_STREQ(error.what(), "--target limousine: is class 3; this model has classes 0..2");
  }
}

TEST(Targets, APrefixSaysWhichIsMeant) {
  const std::vector<std::string> digits{"1", "2", "3", "top:2", "index:0"};
  for (const char* task : {"classification", "detection", "multilabel", "segmentation"}) {
    const auto index_of = [&](const std::string& text) {
      return parse_target(text, find_task(task), digits, 5).index;
    };
    EXPECT_EQ(index_of("index:2"), 2) << task;
    EXPECT_EQ(index_of("label:2"), 1) << task;
    EXPECT_EQ(index_of("label:top:2"), 3) << task;
    EXPECT_EQ(index_of("label:index:0"), 4) << task;
  }
  EXPECT_EQ(parse_target("index:1", find_task("regression"), {}, 2).index, 1);
}

std::string refusal(const std::string& text, const std::vector<std::string>& labels, int classes) {
  try {
    parse_target(text, find_task("classification"), labels, classes);
    return "accepted";
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
}

TEST(Targets, ANumberThatIsALabelToo) {
  const std::vector<std::string> digits{"1", "2", "3"};
  EXPECT_EQ(refusal("2", digits, 3),
            "--target 2: is the label of class 1, and the index of another; say which: label:2 or "
            "index:2");
  EXPECT_EQ(parse_target("3", find_task("classification"), digits, 3).index, 2);  // no class 3
  EXPECT_EQ(parse_target("0", find_task("classification"), digits, 3).index, 0);  // no such label
  EXPECT_EQ(parse_target("1", find_task("classification"), {"0", "1"}, 2).index, 1);  // both
}

TEST(Targets, OfALabelOfSeveralClassesTheFirstIsTakenAndTheOthersNamed) {
  const std::vector<std::string> twins{"crane", "spoon, wooden", "crane", "Crane"};
  const auto index_of = [&](const std::string& text) {
    return parse_target(text, find_task("classification"), twins, 4).index;
  };
  const std::string two =
      ": several classes have this label; class 0 is explained, index:2 is the other";
  EXPECT_EQ(index_of("crane"), 0);
  EXPECT_EQ(doubt_of("crane", twins), "--target crane" + two);
  EXPECT_EQ(index_of("label:crane"), 0);
  EXPECT_EQ(doubt_of("label:crane", twins), "--target label:crane" + two);
  EXPECT_EQ(doubt_of("CRANE", twins),
            "--target CRANE: several classes have this label; class 0 is explained, index:2 and "
            "index:3 are the others");
  for (const char* text : {"Crane", "spoon, wooden", "index:2", "2", "auto", "top:2"}) {
    EXPECT_EQ(doubt_of(text, twins), "") << text;
  }
  EXPECT_EQ(index_of("Crane"), 3);
  EXPECT_EQ(index_of("index:2"), 2);
}

TEST(Targets, AWrongPrefixedTargetNamesWhatIsAllowed) {
  EXPECT_EQ(refusal("index:x", kLabels, 4), "--target index:x: allowed is index:N, N of 0..3");
  EXPECT_EQ(refusal("index:4", kLabels, 4),
            "--target index:4: is class 4; this model has classes 0..3");
  EXPECT_NE(refusal("label:hem", kLabels, 4).find("near labels: hen"), std::string::npos);
  EXPECT_NE(refusal("label:2", {}, 4).find("no labels"), std::string::npos);
}

TEST(Targets, TopKOfADetectorCountsBoxes) {
  EXPECT_EQ(parse_target("top:9", find_task("detection"), {"face"}, 1).best, 9);
  EXPECT_THROW(parse_target("top:0", find_task("detection"), {"face"}, 1), UserError);
}

TEST(Targets, LabelsAreNeededForALabel) {
  EXPECT_THROW(parse_target("cock", find_task("classification"), {}, 4), UserError);
}

}  // namespace
}  // namespace gradcam
