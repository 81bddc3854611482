#include "pipeline/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace gradcam {
namespace {

TEST(Gate, TicketsCountFromZeroWithoutGaps) {
  Gate gate(2);
  for (std::uint64_t ticket = 0; ticket < 5; ++ticket) {
    EXPECT_EQ(gate.enter({}), ticket);
    gate.leave();
  }
}

TEST(Gate, CountsFramesInFlight) {
  Gate gate(3);
  gate.enter({});
  gate.enter({});
  EXPECT_EQ(gate.in_flight(), 2);
  gate.leave();
  EXPECT_EQ(gate.in_flight(), 1);
}

TEST(Gate, WithoutAPlaceOnlyStopEndsTheWait) {
  Gate gate(1);
  gate.enter({});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(gate.enter(stop.get_token()), std::nullopt);
  EXPECT_EQ(gate.in_flight(), 1);
}

TEST(Gate, AFrameTurnedAwayTakesNoTicket) {
  Gate gate(1);
  EXPECT_EQ(gate.enter({}), 0U);
  std::stop_source stop;
  stop.request_stop();
  gate.enter(stop.get_token());
  gate.leave();
  EXPECT_EQ(gate.enter({}), 1U);
}

TEST(Gate, StopWakesAWaitingThread) {
  Gate gate(1);
  gate.enter({});
  std::optional<std::uint64_t> ticket = 99;
  std::jthread capture([&](const std::stop_token& stop) { ticket = gate.enter(stop); });
  capture.request_stop();
  capture.join();
  EXPECT_EQ(ticket, std::nullopt);
}

TEST(Gate, APlaceGivenBackLetsAWaitingThreadIn) {
  Gate gate(1);
  gate.enter({});
  std::optional<std::uint64_t> ticket;
  std::jthread capture([&] { ticket = gate.enter({}); });
  gate.leave();
  capture.join();
  EXPECT_EQ(ticket, 1U);
}

TEST(Gate, NeverHoldsMoreThanItsPlaces) {
  constexpr int kPlaces = 3;
  constexpr int kFrames = 2000;
  Gate gate(kPlaces);
  std::atomic<int> entered{0};
  std::atomic<int> most{0};
  std::vector<std::jthread> leavers;
  leavers.reserve(kPlaces);
  for (int i = 0; i < kPlaces; ++i) {
    leavers.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        int waiting = entered.load();
        if (waiting > 0 && entered.compare_exchange_weak(waiting, waiting - 1)) gate.leave();
      }
    });
  }
  for (int i = 0; i < kFrames; ++i) {
    ASSERT_EQ(gate.enter({}), static_cast<std::uint64_t>(i));
    most = std::max(most.load(), gate.in_flight());
    ++entered;
  }
  leavers.clear();
  EXPECT_LE(most, kPlaces);
  EXPECT_GE(most, 1);
}

TEST(Gate, RefusesToHaveNoPlace) { EXPECT_THROW(Gate(0), std::invalid_argument); }

TEST(Gate, LeavingAnEmptyGateIsABug) {
  Gate gate(1);
  EXPECT_THROW(gate.leave(), std::logic_error);
}

}  // namespace
}  // namespace gradcam
