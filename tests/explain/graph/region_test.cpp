#include "stages/explain/graph/region.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <vector>

namespace gradcam {
namespace {

using Numbers = std::vector<std::int64_t>;

TEST(Region, ANumberIsCountedRowByRow) {
  EXPECT_EQ(number_at(0, Numbers{2, 3, 4}), (Region{{0, 1}, {0, 1}, {0, 1}}));
  EXPECT_EQ(number_at(17, Numbers{2, 3, 4}), (Region{{1, 1}, {1, 1}, {1, 1}}));
  EXPECT_EQ(number_at(23, Numbers{2, 3, 4}), (Region{{1, 1}, {2, 1}, {3, 1}}));
}

TEST(Region, AHullHoldsBoth) {
  EXPECT_EQ(hull(Region{{0, 1}, {5, 2}}, Region{{3, 2}, {4, 2}}), (Region{{0, 5}, {4, 3}}));
  EXPECT_EQ(count_of(Region{{0, 5}, {4, 3}}), 15);
  EXPECT_EQ(all_of(Numbers{1, 7}), (Region{{0, 1}, {0, 7}}));
}

struct Change {
  const char* what;
  Numbers from;
  Numbers to;
  Region wanted;
  Region before;
  Region after;
};

std::ostream& operator<<(std::ostream& out, const Change& change) { return out << change.what; }

class Reshapes : public testing::TestWithParam<Change> {};

TEST_P(Reshapes, TakeTheSmallestPartThatHoldsWhatIsWanted) {
  const Change& change = GetParam();
  const Reshaped found = through_reshape(change.wanted, change.from, change.to);
  EXPECT_EQ(found.from, change.before);
  EXPECT_EQ(found.to, change.after);
}

INSTANTIATE_TEST_SUITE_P(Changes, Reshapes,
                         testing::Values(Change{"one place of a flattened map",
                                                {1, 8, 4, 6},
                                                {1, 8, 24},
                                                {{0, 1}, {2, 3}, {15, 1}},
                                                {{0, 1}, {2, 3}, {2, 1}, {3, 1}},
                                                {{0, 1}, {2, 3}, {15, 1}}},
                                         Change{"places of two rows: both rows",
                                                {1, 8, 4, 6},
                                                {1, 8, 24},
                                                {{0, 1}, {0, 8}, {5, 2}},
                                                {{0, 1}, {0, 8}, {0, 2}, {0, 6}},
                                                {{0, 1}, {0, 8}, {0, 12}}},
                                         Change{"places of one row",
                                                {1, 8, 4, 6},
                                                {1, 8, 24},
                                                {{0, 1}, {0, 8}, {7, 3}},
                                                {{0, 1}, {0, 8}, {1, 1}, {1, 3}},
                                                {{0, 1}, {0, 8}, {7, 3}}},
                                         Change{"channels in groups, one of each",
                                                {1, 64, 9},
                                                {1, 4, 16, 9},
                                                {{0, 1}, {0, 4}, {3, 1}, {5, 1}},
                                                {{0, 1}, {0, 64}, {5, 1}},
                                                {{0, 1}, {0, 4}, {0, 16}, {5, 1}}},
                                         Change{"channels in groups, one group",
                                                {1, 64, 9},
                                                {1, 4, 16, 9},
                                                {{0, 1}, {2, 1}, {3, 2}, {5, 1}},
                                                {{0, 1}, {35, 2}, {5, 1}},
                                                {{0, 1}, {2, 1}, {3, 2}, {5, 1}}},
                                         Change{"dimensions of one place come",
                                                {1, 5},
                                                {1, 5, 1, 1},
                                                {{0, 1}, {4, 1}, {0, 1}, {0, 1}},
                                                {{0, 1}, {4, 1}},
                                                {{0, 1}, {4, 1}, {0, 1}, {0, 1}}},
                                         Change{"and go",
                                                {1, 5, 1, 7},
                                                {5, 7},
                                                {{1, 2}, {3, 4}},
                                                {{0, 1}, {1, 2}, {0, 1}, {3, 4}},
                                                {{1, 2}, {3, 4}}}));

}  // namespace
}  // namespace gradcam
