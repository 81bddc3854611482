#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "tests/pipeline/graph_fixture.h"

namespace gradcam {
namespace {

using fakes::on_cue;
using fakes::Passed;

class LiveEvery : public Graph {
 protected:
  LiveEvery() { frames_in_flight_ = 2; }

  /// 30 frames, each of which comes when the one before it has been shown.
  RunSummary run_on_cue() {
    frames_in_flight_ = 1;
    Passed turn;
    turn.add(0);
    stages_.explain = fakes::one_by_one([this](const Prepared&) {
      fakes::mark_thread();
      ++calls_;
      return Explanation{};
    });
    Stream& stream = add_live(on_cue(30, turn));
    stream.output = [&, output = stream.output](const Rendered& rendered) {
      output(rendered);
      shown_.push_back(rendered.explained);
      turn.add(static_cast<std::uint64_t>(rendered.frame().seq) + 1);
    };
    return run();
  }

  std::vector<Explained> shown_;
  std::atomic<int> calls_{0};  ///< of the engine
};

TEST_F(LiveEvery, ThirdFrameShowsAllAndCarriesTheNewestMap) {
  options_.every = 3;
  const RunSummary summary = run_on_cue();
  EXPECT_EQ(out().numbers(), count_up(30));
  EXPECT_EQ(summary.streams[0].explained, 1);
  EXPECT_EQ(summary.streams[0].carried, 29);
  std::int64_t newest = 0;
  for (const Explained& explained : shown_) {
    EXPECT_LE(explained.explanation->frame_seq, explained.frame().seq);
    EXPECT_GE(explained.explanation->frame_seq, newest);
    newest = explained.explanation->frame_seq;
    EXPECT_EQ(explained.map_age, std::chrono::milliseconds(40 * (explained.frame().seq - newest)));
  }
  EXPECT_LE(calls_, 10);
  EXPECT_GE(calls_, 2);
}

TEST_F(LiveEvery, EngineCallsBesideEndBeforeTheRunDoes) {
  options_.every = 2;
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  stages_.explain = fakes::one_by_one([&](const Prepared&) {
    fakes::mark_thread();
    ++begun;
    std::this_thread::yield();
    ++ended;
    return Explanation{};
  });
  add_live(fakes::frames(500));
  run();
  EXPECT_EQ(begun, ended);
  EXPECT_GT(begun, 0);
}

TEST_F(LiveEvery, FailureOfAMapBesideIsSeenOnTheFramesThatCarryIt) {
  options_.every = 2;
  options_.max_failures = 0;
  frames_in_flight_ = 1;
  Passed turn;
  turn.add(0);
  std::atomic<bool> seen{false};
  stages_.explain = fakes::one_by_one([&](const Prepared& prepared) -> Explanation {
    fakes::mark_thread();
    if (prepared.frame.seq > 0) throw std::runtime_error("no luck");
    return {};
  });
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

TEST_F(LiveEvery, EngineThatGoesOnFailingEndsTheRun) {
  options_.every = 2;
  options_.max_failures = 3;
  stages_.explain = fakes::one_by_one([](const Prepared& prepared) -> Explanation {
    fakes::mark_thread();
    if (prepared.frame.seq > 0) throw std::runtime_error("no luck");
    return {};
  });
  frames_in_flight_ = 1;
  add_live(fakes::endless());
  EXPECT_EQ(message_of(run()), "cam: 3 frames in a row failed, the last with: explain: no luck");
}

/// A budget that no engine call keeps: what it costs is measured by the real clock.
constexpr double kHardlyAnyMs = 1e-9;
/// A budget that a call of these engines, which do nothing, takes about once or a few times.
constexpr double kAboutACallMs = 1e-3;

TEST_F(LiveEvery, AboveTheBudgetTheMapThatIsThereIsCarried) {
  options_.budget_ms = kHardlyAnyMs;
  const RunSummary summary = run_on_cue();
  EXPECT_EQ(out().numbers(), count_up(30));
  EXPECT_EQ(summary.streams[0].explained, 1);
  EXPECT_EQ(summary.streams[0].carried, 29);
  EXPECT_EQ(calls_, 1);
}

// Frames come while the engine's thread finds out what a map costs: for ThreadSanitizer, too.
TEST_F(LiveEvery, WithABudgetNoFrameCarriesTheMapOfALaterOne) {
  options_.budget_ms = kAboutACallMs;
  frames_in_flight_ = 4;
  Stream& stream = add_live(fakes::frames(3000));
  stream.output = [output = stream.output](const Rendered& rendered) {
    output(rendered);
    EXPECT_LE(rendered.explained.explanation->frame_seq, rendered.frame().seq);
  };
  EXPECT_EQ(run().streams[0].captured, 3000);
}

class FilmEvery : public Graph {};

TEST_F(FilmEvery, WithABudgetFramesCarryExactlyTheMapOfTheirKeyFrame) {
  options_.budget_ms = kAboutACallMs;
  std::vector<std::int64_t> map_of;
  Stream& stream = add_stream(fakes::frames(3000));
  stream.output = [&, output = stream.output](const Rendered& rendered) {
    output(rendered);
    map_of.push_back(rendered.explained.explanation->frame_seq);
  };
  run();
  EXPECT_EQ(out().numbers(), count_up(3000));
  std::int64_t key_frame = 0;
  for (std::int64_t i = 0; i < 3000; ++i) {
    const std::int64_t shown = map_of[static_cast<std::size_t>(i)];
    if (shown == i) key_frame = i;
    EXPECT_EQ(shown, key_frame);
  }
}

TEST_F(FilmEvery, OnlyFramesThatCameBeforeACallWasTimedExceedTheBudget) {
  options_.budget_ms = kHardlyAnyMs;
  add_stream(fakes::frames(200));
  const RunSummary summary = run();
  EXPECT_GE(summary.streams[0].explained, 1);
  EXPECT_LE(summary.streams[0].explained, frames_in_flight_ + 1);
  EXPECT_EQ(summary.streams[0].shown, 200);
}

TEST_F(FilmEvery, CarryingTheNewestNoFrameWaitsForAMap) {
  options_.every = 3;
  Passed shown;
  int calls = 0;
  stages_.explain = fakes::one_by_one([&](const Prepared& prepared) {
    fakes::mark_thread();
    // The first frames, before there is any map, have maps of their own.
    if (++calls > frames_in_flight_) {
      shown.wait_for(
          static_cast<std::uint64_t>(std::min<std::int64_t>(99, prepared.frame.seq + 2)));
    }
    return Explanation{};
  });
  Stream& stream = add_stream(fakes::frames(100));
  stream.carries_newest = true;
  stream.output = [&, output = stream.output](const Rendered& rendered) {
    output(rendered);
    shown.add(static_cast<std::uint64_t>(rendered.frame().seq));
  };
  run();  // a frame that waited would wait for ever
  EXPECT_EQ(out().numbers(), count_up(100));
}

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
  stages_.explain = fakes::one_by_one([](const Prepared& prepared) -> Explanation {
    fakes::mark_thread();
    if (prepared.frame.seq == 4) throw std::runtime_error("no luck");
    return {};
  });
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

TEST_F(FilmEvery, OneMapThatFailsIsOneFailure) {
  options_.every = 50;
  options_.max_failures = 2;
  stages_.explain = fakes::one_by_one([](const Prepared& prepared) -> Explanation {
    fakes::mark_thread();
    if (prepared.frame.seq == 50) throw std::runtime_error("no luck");
    return {};
  });
  add_stream(fakes::frames(200));
  const RunSummary summary = run();
  EXPECT_EQ(message_of(summary), "");
  EXPECT_EQ(summary.streams[0].failed, 50);
  EXPECT_EQ(summary.streams[0].shown, 150);
}

TEST_F(FilmEvery, MapsAreForgottenWhenNoFrameCanNeedThem) {
  options_.every = 2;
  std::mutex mutex;
  std::vector<std::weak_ptr<const Explanation>> maps;
  std::size_t most = 0;
  stages_.overlay = [&](const Explained& explained) {
    const std::lock_guard lock(mutex);
    if (!explained.carried()) maps.push_back(explained.explanation);
    std::erase_if(maps, [](const auto& map) { return map.expired(); });
    most = std::max(most, maps.size());
    Rendered rendered;
    rendered.picture = explained.frame().image;
    return rendered;
  };
  add_stream(fakes::frames(10000)).output = [](const Rendered&) {};
  EXPECT_EQ(run().streams[0].maps, 5000);
  EXPECT_LE(most, 20U);
}

}  // namespace
}  // namespace gradcam
