#include "config/named.h"

#include <gtest/gtest.h>

#include <set>

#include "config/looks.h"
#include "config/text.h"

namespace gradcam {
namespace {

enum class Fruit { kApple, kPear, kPlum };
constexpr std::array kFruits = {Named{"apple", Fruit::kApple}, Named{"pear", Fruit::kPear},
                                Named{"plum", Fruit::kPlum}};

TEST(Named, GoesFromNameToValueAndBack) {
  EXPECT_EQ(find_named(kFruits, "pear")->value, Fruit::kPear);
  EXPECT_EQ(find_named(kFruits, "Pear"), nullptr);
  EXPECT_EQ(row_of(kFruits, Fruit::kPlum).name, "plum");
  EXPECT_EQ(names_of(kFruits), (std::vector<std::string>{"apple", "pear", "plum"}));
}

TEST(Named, StepsThroughTheTable) {
  EXPECT_EQ(row_after(kFruits, Fruit::kApple).value, Fruit::kPear);
  EXPECT_EQ(row_after(kFruits, Fruit::kPlum).value, Fruit::kApple);
}

TEST(Named, HalvesOfATableMustMatch) {
  constexpr std::array kShort = {Named{"", Fruit::kApple}, Named{"", Fruit::kPear}};
  constexpr std::array kMixed = {Named{"", Fruit::kPear}, Named{"", Fruit::kApple},
                                 Named{"", Fruit::kPlum}};
  EXPECT_TRUE(same_values(kFruits, kFruits));
  EXPECT_FALSE(same_values(kFruits, kShort));
  EXPECT_FALSE(same_values(kFruits, kMixed));
}

TEST(Named, ListsWordsAsASentenceDoes) {
  EXPECT_EQ(listed({}), "");
  EXPECT_EQ(listed({"a"}, " or "), "a");
  EXPECT_EQ(listed({"a", "b"}, " or "), "a or b");
  EXPECT_EQ(listed({"a", "b", "c"}, ", and "), "a, b, and c");
  EXPECT_EQ(listed({"a", "b", "c"}), "a, b, c");
}

template <class Table>
void expect_no_name_twice(const Table& table) {
  const auto names = names_of(table);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), table.size());
}

TEST(Looks, HaveNamesOfTheirOwn) {
  expect_no_name_twice(kStyles);
  expect_no_name_twice(kViews);
  expect_no_name_twice(kNormalizations);
  expect_no_name_twice(kColormaps);
}

}  // namespace
}  // namespace gradcam
