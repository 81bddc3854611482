#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/pipeline/graph_fixture.h"

namespace gradcam {
namespace {

using fakes::on_cue;
using fakes::Passed;

/// On the inference thread: until the one capture thread has ended.
void wait_for_end_of_capture() {
  while (fakes::threads_alive > 1) std::this_thread::yield();
}

class LiveGraph : public Graph {
 protected:
  LiveGraph() { frames_in_flight_ = 2; }
};

TEST_F(LiveGraph, NewestFrameTakesThePlaceOfTheOneThatWaits) {
  // The engine holds frame 0 until the source has gone on to frame 9: 0 and 1 are inside, of 2..9
  // the newest is let in when 0 leaves.
  Passed turn;
  for (int i = 0; i <= 9; ++i) turn.add(static_cast<std::uint64_t>(i));
  Passed asked_for;
  auto script = on_cue(10, turn);
  add_live([&](std::int64_t call) {
    asked_for.add(static_cast<std::uint64_t>(call));
    return script(call);
  });
  stages_.explain = fakes::one_by_one([&](const Prepared& prepared) {
    fakes::mark_thread();
    if (prepared.frame.seq == 0) {
      asked_for.wait_for(10);  // 0..9 were offered
      turn.add(10);
    }
    return Explanation{};
  });
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), (std::vector<std::int64_t>{0, 1, 9}));
  EXPECT_EQ(out().frames[2].dropped_before, 7);
  EXPECT_EQ(summary.streams[0].captured, 10);
  EXPECT_EQ(summary.streams[0].dropped_newer, 7);
  EXPECT_EQ(summary.streams[0].end, StreamEnd::kEnd);
}

TEST_F(LiveGraph, NothingIsDroppedWhileTheEngineKeepsUp) {
  Passed turn;
  turn.add(0);
  Stream& stream = add_live(on_cue(50, turn));
  const auto output = stream.output;
  stream.output = [&, output](const Rendered& rendered) {
    output(rendered);
    turn.add(static_cast<std::uint64_t>(rendered.frame().seq) + 1);
  };
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), count_up(50));
  EXPECT_EQ(summary.streams[0].dropped(), 0);
}

TEST_F(LiveGraph, WhatIsShownIsNoOlderThanTheFramesInFlightAndAPeriodMakeIt) {
  // A clock that only the engine moves, 10 units per call; the source gives frame `t` at `t`. A
  // call begins when what can be shown is, and sees to it that the source keeps up.
  constexpr std::int64_t kCall = 10;
  constexpr std::int64_t kEnd = 400;
  std::int64_t now = 0;
  Passed turn;
  Passed asked_for;
  Passed shown;
  turn.add(0);
  auto script = on_cue(kEnd, turn);
  Stream& stream = add_live([&](std::int64_t call) {
    asked_for.add(static_cast<std::uint64_t>(call));
    return script(call);
  });
  // A frame may be overtaken by one on its way to the engine: hence a call more than are in flight.
  std::set<std::uint64_t> explained;
  std::uint64_t in_order = 0;
  stages_.explain = fakes::one_by_one([&](const Prepared& prepared) {
    fakes::mark_thread();
    if (in_order > 0) shown.wait_for(in_order - 1);
    for (std::int64_t unit = 0; unit < kCall; ++unit) {
      ++now;
      turn.add(static_cast<std::uint64_t>(now));
      if (now < kEnd) asked_for.wait_for(static_cast<std::uint64_t>(now) + 1);
    }
    explained.insert(prepared.frame.ticket);
    while (explained.count(in_order) > 0) ++in_order;
    return Explanation{};
  });
  std::int64_t oldest = 0;
  stream.output = [&, record = stream.output](const Rendered& rendered) {
    record(rendered);
    oldest = std::max(oldest, now - rendered.frame().seq);
    shown.add(rendered.frame().ticket);
  };
  run();
  EXPECT_GT(oldest, kCall);
  EXPECT_LE(oldest, (frames_in_flight_ + 1) * kCall + 1);
  EXPECT_GE(out().frames.size(), static_cast<std::size_t>(kEnd / kCall));
}

TEST_F(LiveGraph, EachStreamDropsItsOwn) {
  frames_in_flight_ = 1;
  Passed asked_for;
  add_live(
      [&, script = fakes::frames(6)](std::int64_t call) {
        asked_for.add(static_cast<std::uint64_t>(call));
        return script(call);
      },
      "fast");
  Passed turn;
  turn.add(0);
  Stream& slow = add_live(on_cue(20, turn), "slow");
  slow.output = [&, record = slow.output](const Rendered& rendered) {
    record(rendered);
    turn.add(static_cast<std::uint64_t>(rendered.frame().seq) + 1);
  };
  stages_.explain = fakes::one_by_one([&](const Prepared& prepared) {
    fakes::mark_thread();
    if (prepared.frame.stream == 0 && prepared.frame.seq == 0) asked_for.wait_for(6);
    return Explanation{};
  });
  const RunSummary summary = run();
  EXPECT_EQ(out(0).numbers(), (std::vector<std::int64_t>{0, 5}));
  EXPECT_EQ(summary.streams[0].dropped_newer, 4);
  EXPECT_EQ(out(1).numbers(), count_up(20));
  EXPECT_EQ(summary.streams[1].dropped(), 0);
}

class LiveEnd : public LiveGraph, public testing::WithParamInterface<std::int64_t> {};

TEST_P(LiveEnd, FrameThatWaitsThenIsShown) {
  stages_.explain = fakes::one_by_one([](const Prepared& prepared) {
    fakes::mark_thread();
    if (prepared.frame.seq == 0) wait_for_end_of_capture();
    return Explanation{};
  });
  add_live(fakes::frames(3)).limit = GetParam();
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), count_up(3));
  EXPECT_EQ(summary.streams[0].end, GetParam() > 0 ? StreamEnd::kLimit : StreamEnd::kEnd);
}

INSTANTIATE_TEST_SUITE_P(OfSourceAndLimit, LiveEnd, testing::Values(0, 3));

TEST_F(LiveGraph, WhatIsUnderWayStaysTheSameOverTenThousandFrames) {
  std::atomic<int> blobs{0};
  std::atomic<int> most{0};
  const auto forget = [&](const Blob* blob) {
    delete blob;
    --blobs;
  };
  stages_.preprocess = [&](const Frame& frame) {
    const int now = ++blobs;
    int seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    return Prepared{frame, std::shared_ptr<const Blob>(new Blob, forget), Mapping{}};
  };
  Stream& stream = add_live(fakes::frames(10000));
  stream.output = [](const Rendered&) {};
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].captured, 10000);
  EXPECT_EQ(blobs, 0);
  EXPECT_LE(most, 20);  // each thread may still hold its copy of a frame that has left
}

TEST_F(LiveGraph, OneOfSeveralThatBreaksEndsAlone) {
  add_live(
      [](std::int64_t call) -> Capture {
        if (call < 3) return fakes::picture(call);
        throw UserError(ExitCode::kSource, "unplugged");
      },
      "broken");
  add_live(fakes::frames(40), "good");
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].source_error, "unplugged");
  EXPECT_EQ(out(0).frames.back().seq, 2);
  EXPECT_EQ(out(1).frames.back().seq, 39);
  EXPECT_EQ(exit_code(summary), ExitCode::kPartial);
}

TEST_F(LiveGraph, StopDropsTheFrameThatWaits) {
  Passed asked_for;
  add_live([&](std::int64_t call) -> Capture {
    asked_for.add(static_cast<std::uint64_t>(call));
    if (call < 3) return fakes::picture(call);
    return NotYet{};
  });
  stages_.explain = fakes::one_by_one([&](const Prepared& prepared) {
    fakes::mark_thread();
    if (prepared.frame.seq == 0) {
      asked_for.wait_for(3);
      stop_.request_stop();
      wait_for_end_of_capture();
    }
    return Explanation{};
  });
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), count_up(2));
  EXPECT_EQ(summary.streams[0].dropped_stop, 1);
  EXPECT_TRUE(summary.stopped);
}

TEST_F(LiveGraph, ShowComesForEachFrameThatIsDrawn) {
  std::mutex mutex;
  std::set<std::int64_t> shown;
  Stream& stream = add_live(fakes::frames(30));
  stream.show = [&](const Rendered& rendered) {
    const std::lock_guard lock(mutex);
    shown.insert(rendered.frame().seq);
  };
  run();
  const auto numbers = out().numbers();
  EXPECT_EQ(shown, std::set<std::int64_t>(numbers.begin(), numbers.end()));
}

TEST_F(LiveGraph, ShowComesForFailedFramesToo) {
  stages_.explain = fakes::one_by_one([](const Prepared&) -> Explanation {
    fakes::mark_thread();
    throw std::runtime_error("no luck");
  });
  std::atomic<int> failed{0};
  add_live(fakes::frames(1)).show = [&](const Rendered& view) { failed += view.frame().failed(); };
  run();
  EXPECT_EQ(failed, 1);
}

TEST_F(LiveGraph, ShowThatThrowsEndsTheRun) {
  Stream& stream = add_live(fakes::endless());
  stream.show = [](const Rendered&) { throw std::runtime_error("no window"); };
  EXPECT_EQ(message_of(run()), "no window");
}

TEST_F(LiveGraph, OutputThatThrowsEndsTheRun) {
  Stream& stream = add_live(fakes::endless());
  stream.output = [record = stream.output](const Rendered& rendered) {
    if (rendered.frame().seq >= 9) throw UserError(ExitCode::kOutput, "disk full");
    record(rendered);
  };
  add_live(fakes::endless(), "other");
  const RunSummary summary = run();
  EXPECT_EQ(exit_code(summary), ExitCode::kOutput);
  EXPECT_EQ(summary.streams[0].output_error, "disk full");
  EXPECT_EQ(summary.streams[1].output_error, "");
}

TEST_F(LiveGraph, StartThatThrowsEndsTheRunBeforeAnyFrame) {
  stages_.explain_start = [] { throw UserError(ExitCode::kModel, "model.pt: unusable"); };
  add_live(fakes::endless());
  const RunSummary summary = run();
  EXPECT_EQ(exit_code(summary), ExitCode::kModel);
  EXPECT_EQ(summary.streams[0].captured, 0);
}

class LiveThrow : public LiveGraph, public testing::WithParamInterface<std::string> {};

TEST_P(LiveThrow, FailsFramesAloneAndTheRunAfterTooMany) {
  const auto broken = [](const auto&) -> void { throw std::runtime_error("broken"); };
  if (GetParam() == "preprocess") {
    stages_.preprocess = [=](const Frame& f) { return broken(f), Prepared{}; };
  } else if (GetParam() == "explain") {
    stages_.explain =
        fakes::one_by_one([=](const Prepared& p) { return broken(p), Explanation{}; });
  } else {
    stages_.overlay = [=](const Explained& e) { return broken(e), Rendered{}; };
  }
  options_.max_failures = 5;
  add_live(fakes::endless());
  const RunSummary summary = run();
  EXPECT_NE(message_of(summary).find("5 frames in a row failed"), std::string::npos);
  EXPECT_GE(summary.streams[0].failed, 5);
}

INSTANTIATE_TEST_SUITE_P(InEachStage, LiveThrow,
                         testing::Values("preprocess", "explain", "overlay"),
                         [](const auto& stage) { return stage.param; });

}  // namespace
}  // namespace gradcam
