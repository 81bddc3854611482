#include "stages/explain/tasks/class_scores.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

TEST(ClassScores, BestClassesComeBestFirstAndTiesByIndex) {
  EXPECT_EQ(best_classes({0.1F, 0.4F, 0.1F, 0.4F}, 3), (std::vector<int>{1, 3, 0}));
  EXPECT_EQ(best_classes({0.3F, 0.7F}, 5), (std::vector<int>{1, 0}));
}

TEST(ClassScores, AClassWithoutLabelHasNone) {
  const ClassScore score = class_score(1, {0.25F, 0.75F}, {"only one"});
  EXPECT_EQ(score.label, "");
  EXPECT_EQ(score.score, 0.75F);
}

}  // namespace
}  // namespace gradcam
