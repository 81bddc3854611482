#include <atomic>
#include <thread>

#include "graph_fixture.h"

namespace gradcam {
namespace {

using fakes::Passed;

/// Gives picture after picture, but call `n` only when `turn` has `n`; then ends.
fakes::FakeSource::Script on_cue(std::int64_t count, Passed& turn) {
  return [count, &turn](std::int64_t call) -> Capture {
    turn.wait_for(static_cast<std::uint64_t>(call));
    if (call < count) return fakes::picture(call);
    return EndOfStream{};
  };
}

class LiveGraph : public Graph {
 protected:
  LiveGraph() { frames_in_flight_ = 2; }

  Stream& add_live(fakes::FakeSource::Script script, const std::string& name = "cam") {
    Stream& stream = add_stream(std::move(script), name);
    stream.live = true;
    return stream;
  }
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
  stages_.explain = [&](const Prepared& prepared) {
    fakes::mark_thread();
    if (prepared.frame.seq == 0) {
      asked_for.wait_for(10);  // 0..9 were offered
      turn.add(10);
    }
    return Explanation{};
  };
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

TEST_F(LiveGraph, WhatIsShownIsAtMostThreeEngineCallsAndAPeriodOld) {
  // A clock that only the engine moves, by 10 per call; the source gives a picture per unit and
  // keeps up. No frame may be older at its output than (2 + 1) calls and a period.
  constexpr std::int64_t kCall = 10;
  std::atomic<std::int64_t> now{0};
  Passed asked_for;
  Passed time;
  time.add(0);
  add_live([&](std::int64_t call) -> Capture {
    asked_for.add(static_cast<std::uint64_t>(call));
    time.wait_for(static_cast<std::uint64_t>(call));
    if (call < 1000) return fakes::picture(call);
    return EndOfStream{};
  });
  stages_.explain = [&](const Prepared&) {
    fakes::mark_thread();
    for (std::int64_t i = 0; i < kCall && now < 1000; ++i) {
      time.add(static_cast<std::uint64_t>(++now));
      asked_for.wait_for(static_cast<std::uint64_t>(now));  // what was due has been offered
    }
    return Explanation{};
  };
  std::int64_t oldest = 0;
  const auto overlay = stages_.overlay;
  stages_.overlay = [&, overlay](const Explained& explained) {
    oldest = std::max(oldest, now - explained.frame().seq);  // captured when `now` was its number
    return overlay(explained);
  };
  run(1);
  EXPECT_LE(oldest, 3 * kCall + 1);
  EXPECT_GT(oldest, kCall);
  EXPECT_GT(out().frames.size(), 50U);
}

TEST_F(LiveGraph, EachStreamDropsItsOwn) {
  Passed never;  // the second stream's source waits for the first to end
  Passed first_done;
  Stream& fast = add_live(
      [&](std::int64_t call) -> Capture {
        if (call < 200) return fakes::picture(call);
        first_done.add(0);
        return EndOfStream{};
      },
      "fast");
  (void)fast;
  add_live(
      [&](std::int64_t call) -> Capture {
        if (call == 0) first_done.wait_for(0);
        if (call < 1) return fakes::picture(call);
        return EndOfStream{};
      },
      "slow");
  const RunSummary summary = run();
  EXPECT_EQ(out(0).frames.back().seq, 199);
  EXPECT_EQ(out(1).numbers(), count_up(1));
  EXPECT_EQ(summary.streams[1].dropped(), 0);
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
  stages_.explain = [&](const Prepared& prepared) {
    fakes::mark_thread();
    if (prepared.frame.seq == 0) {
      asked_for.wait_for(3);
      stop_.request_stop();
      // Until capture has seen it: the waiting frame must not be let in first.
      while (fakes::sources_alive > 0 && fakes::threads_alive > 1) std::this_thread::yield();
    }
    return Explanation{};
  };
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

TEST_F(LiveGraph, ShowThatThrowsEndsTheRun) {
  Stream& stream = add_live(fakes::endless());
  stream.show = [](const Rendered&) { throw std::runtime_error("no window"); };
  EXPECT_EQ(message_of(run()), "no window");
}

class LiveThrow : public LiveGraph, public testing::WithParamInterface<std::string> {};

TEST_P(LiveThrow, FailsFramesAloneAndTheRunAfterTooMany) {
  const auto broken = [](const auto&) -> void { throw std::runtime_error("broken"); };
  if (GetParam() == "preprocess") {
    stages_.preprocess = [=](const Frame& f) { return broken(f), Prepared{}; };
  } else if (GetParam() == "explain") {
    stages_.explain = [=](const Prepared& p) { return broken(p), Explanation{}; };
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

TEST_F(LiveGraph, LiveEveryThirdShowsAllAndCarriesTheNewestMap) {
  options_.every = 3;
  frames_in_flight_ = 1;
  Passed turn;
  turn.add(0);
  std::vector<Explained> shown;
  std::atomic<int> calls{0};
  stages_.explain = [&](const Prepared&) {
    fakes::mark_thread();
    ++calls;
    return Explanation{};
  };
  Stream& stream = add_live(on_cue(30, turn));
  const auto output = stream.output;
  stream.output = [&, output](const Rendered& rendered) {
    output(rendered);
    shown.push_back(rendered.explained);
    turn.add(static_cast<std::uint64_t>(rendered.frame().seq) + 1);
  };
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), count_up(30));
  EXPECT_EQ(summary.streams[0].explained, 1);
  EXPECT_EQ(summary.streams[0].carried, 29);
  std::int64_t newest = 0;
  for (const Explained& explained : shown) {
    EXPECT_LE(explained.explanation->frame_seq, explained.frame().seq);
    EXPECT_GE(explained.explanation->frame_seq, newest);
    newest = explained.explanation->frame_seq;
    EXPECT_EQ(explained.map_age, std::chrono::milliseconds(40 * (explained.frame().seq - newest)));
  }
  EXPECT_LE(calls, 10);
  EXPECT_GE(calls, 2);
}

TEST_F(LiveGraph, EngineCallsBesideEndBeforeTheRunDoes) {
  options_.every = 2;
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  stages_.explain = [&](const Prepared&) {
    fakes::mark_thread();
    ++begun;
    std::this_thread::yield();
    ++ended;
    return Explanation{};
  };
  add_live(fakes::frames(500));
  run();
  EXPECT_EQ(begun, ended);
  EXPECT_GT(begun, 0);
}

TEST_F(LiveGraph, FailureOfAMapBesideIsSeenOnTheFramesThatCarryIt) {
  options_.every = 2;
  options_.max_failures = 0;
  frames_in_flight_ = 1;
  Passed turn;
  turn.add(0);
  std::atomic<bool> seen{false};
  stages_.explain = [&](const Prepared& prepared) -> Explanation {
    fakes::mark_thread();
    if (prepared.frame.seq > 0) throw std::runtime_error("no luck");
    return {};
  };
  Stream& stream = add_live([&](std::int64_t call) -> Capture {
    turn.wait_for(static_cast<std::uint64_t>(call));
    if (seen) return EndOfStream{};
    return fakes::picture(call);
  });
  const auto output = stream.output;
  stream.output = [&, output](const Rendered& rendered) {
    output(rendered);
    seen = rendered.frame().failed();
    turn.add(static_cast<std::uint64_t>(rendered.frame().seq) + 1);
  };
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].failed, 1);
  EXPECT_EQ(out().frames.back().error, "explain: no luck");
}

class FilmEvery : public Graph {};

TEST_F(FilmEvery, ThirdFrameIsExplainedAndTheOthersCarryExactlyThatMap) {
  options_.every = 3;
  std::vector<std::int64_t> map_of;
  Stream& stream = add_stream(fakes::frames(100));
  const auto output = stream.output;
  stream.output = [&, output](const Rendered& rendered) {
    output(rendered);
    map_of.push_back(rendered.explained.explanation->frame_seq);
  };
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), count_up(100));
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(map_of[i], static_cast<std::int64_t>(i - i % 3));
  }
  EXPECT_EQ(summary.streams[0].explained, 34);
  EXPECT_EQ(summary.streams[0].carried, 66);
  EXPECT_EQ(summary.streams[0].maps, 34);
}

TEST_F(FilmEvery, FailureOfAnExplainedFrameIsThatOfItsFollowers) {
  options_.every = 2;
  stages_.explain = [](const Prepared& prepared) -> Explanation {
    fakes::mark_thread();
    if (prepared.frame.seq == 4) throw std::runtime_error("no luck");
    return {};
  };
  add_stream(fakes::frames(10));
  run();
  EXPECT_EQ(out().failed_numbers(), (std::vector<std::int64_t>{4, 5}));
}

TEST_F(FilmEvery, FailureBeforeTheEngineIsThatOfItsFollowersToo) {
  options_.every = 2;
  const auto preprocess = stages_.preprocess;
  stages_.preprocess = [=](const Frame& frame) {
    if (frame.seq == 4 || frame.seq == 7) throw std::runtime_error("no luck");
    return preprocess(frame);
  };
  add_stream(fakes::frames(10));
  run();
  EXPECT_EQ(out().failed_numbers(), (std::vector<std::int64_t>{4, 5, 7}));
}

}  // namespace
}  // namespace gradcam
