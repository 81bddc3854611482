#include "pipeline/mailbox.h"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gradcam {
namespace {

constexpr std::chrono::milliseconds kNow(0);
constexpr std::chrono::seconds kLong(30);

TEST(Mailbox, GivesAValueOnce) {
  Mailbox<std::string> mailbox;
  EXPECT_EQ(mailbox.take(kNow), std::nullopt);
  mailbox.put("a", 0);
  EXPECT_EQ(mailbox.take(kNow), "a");
  EXPECT_EQ(mailbox.take(kNow), std::nullopt);
  EXPECT_EQ(mailbox.missed(), 0);
}

TEST(Mailbox, KeepsTheNewestAndCountsTheOthers) {
  Mailbox<int> mailbox;
  for (const int ticket : {3, 4, 6, 5}) mailbox.put(ticket, static_cast<std::uint64_t>(ticket));
  EXPECT_EQ(mailbox.take(kNow), 6);
  EXPECT_EQ(mailbox.missed(), 3);
}

TEST(Mailbox, WhatIsOlderThanTheTakenOneIsDiscarded) {
  Mailbox<int> mailbox;
  mailbox.put(7, 7);
  EXPECT_EQ(mailbox.take(kNow), 7);
  mailbox.put(6, 6);
  EXPECT_EQ(mailbox.take(kNow), std::nullopt);
  EXPECT_EQ(mailbox.missed(), 1);
}

TEST(Mailbox, TheSameTicketAgainReplaces) {
  Mailbox<std::string> mailbox;
  mailbox.put("first", 1);
  mailbox.put("second", 1);
  EXPECT_EQ(mailbox.take(kNow), "second");
}

TEST(Mailbox, SlotsAreTakenInTurn) {
  Mailbox<std::string> mailbox(3);
  mailbox.put("a0", 0, 0);
  mailbox.put("c0", 0, 2);
  EXPECT_EQ(mailbox.take(kNow), "a0");
  mailbox.put("a1", 1, 0);
  EXPECT_EQ(mailbox.take(kNow), "c0");
  EXPECT_EQ(mailbox.take(kNow), "a1");
  EXPECT_EQ(mailbox.missed(), 0);
}

TEST(Mailbox, TheReaderIsWokenByAValue) {
  Mailbox<int> mailbox;
  std::latch waiting(1);
  std::optional<int> taken;
  std::jthread reader([&] {
    waiting.count_down();
    taken = mailbox.take(kLong);
  });
  waiting.wait();
  mailbox.put(1, 1);
  reader.join();
  EXPECT_EQ(taken, 1);
}

TEST(Mailbox, ManyWritersOneReaderNothingIsLostUncounted) {
  constexpr int kWriters = 4;
  constexpr int kEach = 500;
  Mailbox<std::shared_ptr<const int>> mailbox(2);
  std::latch together(kWriters);
  std::vector<std::jthread> writers;
  writers.reserve(kWriters);
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      together.arrive_and_wait();
      for (int i = w / 2; i < kEach; i += 2) {  // two writers fill each slot
        mailbox.put(std::make_shared<const int>(i), static_cast<std::uint64_t>(i),
                    static_cast<std::size_t>(w % 2));
      }
    });
  }
  std::int64_t taken = 0;
  int lasts = 0;
  while (lasts < 2) {
    const auto value = mailbox.take(kLong);
    ASSERT_TRUE(value);
    ++taken;
    if (**value == kEach - 1) ++lasts;
  }
  writers.clear();
  EXPECT_EQ(mailbox.take(kNow), std::nullopt);  // the last was the newest
  EXPECT_EQ(taken + mailbox.missed(), 2 * kEach);
}

}  // namespace
}  // namespace gradcam
