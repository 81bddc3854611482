#include "pipeline/inference_thread.h"

#include <gtest/gtest.h>

#include <latch>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace gradcam {
namespace {

Prepared frame(int stream, std::uint64_t ticket) {
  Prepared prepared;
  prepared.frame.stream = stream;
  prepared.frame.ticket = ticket;
  return prepared;
}

std::vector<Explained> pass_on(std::vector<Prepared> frames) {
  std::vector<Explained> results;
  for (Prepared& prepared : frames) {
    results.emplace_back();
    results.back().prepared = std::move(prepared);
  }
  return results;
}

/// Holds the thread at its first frame until everything is submitted; then notes who came together.
class Busy {
 public:
  explicit Busy(int batch)
      : inference_(3, batch, {},
                   [this](std::vector<Prepared> frames) { return serve(std::move(frames)); }) {
    inference_.wait_until_started();
    inference_.submit({frame(2, 0), [](const Explained&) {}});
    held_.wait();
  }
  ~Busy() { go_.count_down(); }

  void submit(int stream, std::uint64_t ticket) {
    inference_.submit({frame(stream, ticket), [](const Explained&) {}});
  }
  static std::string order;  ///< of the object that is gone: "a0b5" together, "c1" alone

 private:
  std::vector<Explained> serve(std::vector<Prepared> frames) {
    if (!first_) {
      order += order.empty() ? "" : " ";
      for (const Prepared& p : frames) {
        order += std::string(1, static_cast<char>('a' + p.frame.stream)) +
                 std::to_string(p.frame.ticket);
      }
    } else {
      first_ = false;
      order.clear();
      held_.count_down();
      go_.wait();
    }
    return pass_on(std::move(frames));
  }

  std::latch held_{1};
  std::latch go_{1};
  bool first_ = true;
  InferenceThread inference_;
};
std::string Busy::order;

TEST(InferenceThread, ServesStreamsInTurnAndEarliestFrameFirst) {
  {
    Busy busy(1);
    for (const std::uint64_t ticket : {2U, 0U, 1U}) busy.submit(0, ticket);
    busy.submit(1, 5);
    busy.submit(2, 2);
    busy.submit(2, 1);
  }
  EXPECT_EQ(Busy::order, "a0 b5 c1 a1 c2 a2");
}

TEST(InferenceThread, TakesAFullBatchOfAllStreamsAndTheRestOneByOne) {
  {
    Busy busy(3);
    for (const std::uint64_t ticket : {2U, 0U, 1U}) busy.submit(0, ticket);
    busy.submit(1, 5);
    busy.submit(2, 1);
  }
  EXPECT_EQ(Busy::order, "a0b5c1 a1 a2");
}

TEST(InferenceThread, GivesEachFrameItsOwnResult) {
  std::set<std::uint64_t> done;
  {
    InferenceThread inference(1, 4, {}, pass_on);
    inference.wait_until_started();
    for (std::uint64_t i = 0; i < 100; ++i) {
      inference.submit({frame(0, i), [&, i](const Explained& explained) {
                          EXPECT_EQ(explained.frame().ticket, i);
                          done.insert(i);
                        }});
    }
  }
  EXPECT_EQ(done.size(), 100U);  // also what was still waiting at the end
}

TEST(InferenceThread, AllWorkAndTheStartRunOnOneOtherThread) {
  std::set<std::thread::id> threads;
  {
    InferenceThread inference(
        1, 1, [&] { threads.insert(std::this_thread::get_id()); },
        [&](std::vector<Prepared> frames) {
          threads.insert(std::this_thread::get_id());
          return pass_on(std::move(frames));
        });
    inference.wait_until_started();
    for (std::uint64_t i = 0; i < 10; ++i) {
      inference.submit(
          {frame(0, i), [&](const Explained&) { threads.insert(std::this_thread::get_id()); }});
    }
  }
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0U);
}

TEST(InferenceThread, ThrowsWhatTheStartThrew) {
  InferenceThread inference(
      1, 1, [] { throw std::runtime_error("no such layer"); }, pass_on);
  EXPECT_THROW(inference.wait_until_started(), std::runtime_error);
}

}  // namespace
}  // namespace gradcam
