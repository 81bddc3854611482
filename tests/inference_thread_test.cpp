#include "pipeline/inference_thread.h"

#include <gtest/gtest.h>

#include <latch>
#include <set>
#include <stdexcept>
#include <string>

namespace gradcam {
namespace {

TEST(InferenceThread, ServesStreamsInTurnAndEarliestFrameFirst) {
  std::string order;
  {
    std::latch held(1);
    std::latch all_submitted(1);
    InferenceThread inference(3, {});
    inference.wait_until_started();
    inference.submit(2, 0, [&] {
      held.count_down();
      all_submitted.wait();
    });
    held.wait();
    for (const std::uint64_t ticket : {2U, 0U, 1U}) {
      inference.submit(0, ticket, [&, ticket] { order += "a" + std::to_string(ticket); });
    }
    inference.submit(1, 5, [&] { order += "b5"; });
    inference.submit(2, 2, [&] { order += "c2"; });
    inference.submit(2, 1, [&] { order += "c1"; });
    all_submitted.count_down();
  }
  EXPECT_EQ(order, "a0b5c1a1c2a2");
}

TEST(InferenceThread, AllWorkAndTheStartRunOnOneOtherThread) {
  std::set<std::thread::id> threads;
  {
    InferenceThread inference(1, [&] { threads.insert(std::this_thread::get_id()); });
    inference.wait_until_started();
    for (std::uint64_t i = 0; i < 10; ++i) {
      inference.submit(0, i, [&] { threads.insert(std::this_thread::get_id()); });
    }
  }
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0U);
}

TEST(InferenceThread, DoesWhatIsWaitingBeforeItEnds) {
  int done = 0;
  {
    InferenceThread inference(1, {});
    inference.wait_until_started();
    for (std::uint64_t i = 0; i < 100; ++i) inference.submit(0, i, [&] { ++done; });
  }
  EXPECT_EQ(done, 100);
}

TEST(InferenceThread, ThrowsWhatTheStartThrew) {
  InferenceThread inference(1, [] { throw std::runtime_error("no such layer"); });
  EXPECT_THROW(inference.wait_until_started(), std::runtime_error);
}

}  // namespace
}  // namespace gradcam
