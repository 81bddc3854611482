#include "stages/frame/lazy.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace gradcam {
namespace {

TEST(Lazy, IsMadeOnceWhenSomebodyAsks) {
  int made = 0;
  const Lazy<int> value = Lazy<int>::by([&] { return ++made; });
  const Lazy<int> copy = value;
  EXPECT_TRUE(value);
  EXPECT_EQ(made, 0);
  EXPECT_EQ(*copy, 1);
  EXPECT_EQ(*value, 1);
  EXPECT_EQ(&*value, &*copy);
  EXPECT_EQ(made, 1);
}

TEST(Lazy, MayBeNoneOrThereAlready) {
  EXPECT_FALSE(Lazy<int>());
  const Lazy<std::vector<int>> there(std::vector<int>{7, 8});
  EXPECT_TRUE(there);
  EXPECT_EQ(there->size(), 2U);
}

TEST(Lazy, TriesAgainAfterAFailure) {
  int tries = 0;
  const Lazy<int> value = Lazy<int>::by([&] {
    if (++tries == 1) throw std::runtime_error("no");
    return tries;
  });
  EXPECT_THROW(*value, std::runtime_error);
  EXPECT_EQ(*value, 2);
}

TEST(Lazy, ManyThreadsGetOneValue) {
  std::atomic<int> made = 0;
  const Lazy<int> value = Lazy<int>::by([&] { return ++made; });
  std::vector<int> seen(8);
  {
    std::vector<std::jthread> threads;
    threads.reserve(seen.size());
    for (int& found : seen) threads.emplace_back([&] { found = *value; });
  }
  EXPECT_EQ(seen, std::vector<int>(8, 1));
}

}  // namespace
}  // namespace gradcam
