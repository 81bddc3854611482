#include "pipeline/before_exit.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace gradcam {
namespace {

int say_five() {
  std::fputs("last", stderr);
  return 5;
}

TEST(BeforeExit, IsCalledAndDecidesTheCode) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const BeforeExit guard(say_five);
        std::exit(1);
      },
      testing::ExitedWithCode(5), "last");
}

TEST(BeforeExit, LeavesLaterExitsAlone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        { const BeforeExit guard(say_five); }
        std::exit(1);
      },
      testing::ExitedWithCode(1), "^$");
}

TEST(BeforeExit, IsForItsOwnThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const BeforeExit guard(say_five);
        std::thread([] { std::exit(1); }).join();
      },
      testing::ExitedWithCode(1), "^$");
}

}  // namespace
}  // namespace gradcam
