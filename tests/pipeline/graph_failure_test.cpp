#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>

#include "pipeline/graph.h"
#include "stages/frame/stopped.h"
#include "tests/pipeline/graph_fixture.h"

namespace gradcam {
namespace {

using fakes::endless;
using fakes::frames;
using fakes::picture;

// --- A source that breaks.

class SourceFailure : public Graph, public testing::WithParamInterface<std::int64_t> {};

TEST_P(SourceFailure, EndsItsStreamAlone) {
  add_stream(
      [](std::int64_t call) -> Capture {
        if (call == GetParam()) throw UserError(ExitCode::kSource, "bad.mp4: broken");
        return picture(call);
      },
      "bad.mp4");
  add_stream(frames(50));
  const RunSummary summary = run();
  EXPECT_EQ(out(0).numbers(), count_up(GetParam()));
  EXPECT_EQ(out(1).numbers(), count_up(50));
  EXPECT_EQ(summary.streams[0].end, StreamEnd::kFailed);
  EXPECT_EQ(summary.streams[0].source_error, "bad.mp4: broken");
  EXPECT_EQ(summary.streams[0].source_code, ExitCode::kSource);
  EXPECT_EQ(summary.streams[1].end, StreamEnd::kEnd);
  EXPECT_EQ(summary.error, nullptr);
  EXPECT_EQ(exit_code(summary), ExitCode::kPartial);
}

INSTANTIATE_TEST_SUITE_P(AtFirstMiddleLast, SourceFailure, testing::Values(0, 7, 30));

TEST_F(Graph, TheOnlySourceBreakingAtOnceIsASourceError) {
  add_stream([](std::int64_t) -> Capture { throw UserError(ExitCode::kSource, "gone"); });
  EXPECT_EQ(exit_code(run()), ExitCode::kSource);
}

TEST_F(Graph, AnUnknownThrowOfASourceIsABug) {
  add_stream([](std::int64_t) -> Capture { throw 42; });
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].source_error, "error of unknown type");
  EXPECT_EQ(summary.streams[0].source_code, ExitCode::kInternal);
}

// --- Pictures that cannot be decoded.

TEST_F(Graph, UndecodablePicturesHaveANumberAndCountAsFailed) {
  add_stream([](std::int64_t call) -> Capture {
    if (call == 10) return EndOfStream{};
    if (call == 3 || call == 6) return Undecodable{};
    return picture(call);
  });
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), (std::vector<std::int64_t>{0, 1, 2, 4, 5, 7, 8, 9}));
  EXPECT_EQ(summary.streams[0].captured, 10);
  EXPECT_EQ(summary.streams[0].failed, 2);
  EXPECT_EQ(summary.streams[0].first_failure, "frame 3: it cannot be decoded");
  EXPECT_EQ(exit_code(summary), ExitCode::kPartial);
}

TEST_F(Graph, TheFirstFailureIsTheOneWithTheLowestNumber) {
  add_stream([](std::int64_t call) -> Capture {
    if (call == 10) return EndOfStream{};
    if (call == 6) return Undecodable{};
    return picture(call);
  });
  stages_.preprocess = [](const Frame& frame) -> Prepared {
    if (frame.seq == 2) throw std::runtime_error("too dark");
    return Prepared{frame, std::make_shared<const Blob>(), Mapping{}};
  };
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].failed, 2);
  EXPECT_EQ(summary.streams[0].first_failure, "frame 2: preprocess: too dark");
}

TEST_F(Graph, DamagedPicturesAreShownAndTold) {
  add_stream([](std::int64_t call) -> Capture {
    if (call == 10) return EndOfStream{};
    Captured next = picture(call);
    next.damaged = call == 4 || call == 7;
    return next;
  });
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), count_up(10));
  EXPECT_EQ(summary.streams[0].damaged, 2);
  EXPECT_EQ(summary.streams[0].first_damaged, 4);
  EXPECT_EQ(summary.streams[0].failed, 0);
  EXPECT_EQ(exit_code(summary), ExitCode::kPartial);
}

// --- A stage that fails on some frames.

/// The stage of that name throws for frames where `fails` says so.
void break_stage(Stages& stages, const std::string& name,
                 const std::function<bool(std::int64_t)>& fails) {
  const auto guard = [fails](std::int64_t seq) {
    if (fails(seq)) throw std::runtime_error("frame " + std::to_string(seq));
  };
  if (name == "preprocess") {
    stages.preprocess = [guard, plain = stages.preprocess](const Frame& frame) {
      guard(frame.seq);
      return plain(frame);
    };
  } else if (name == "explain") {
    stages.explain = [guard, plain = stages.explain](const std::vector<Prepared>& frames) {
      guard(frames.at(0).frame.seq);
      return plain(frames);
    };
  } else {
    stages.overlay = [guard, plain = stages.overlay](const Explained& explained) {
      guard(explained.frame().seq);
      return plain(explained);
    };
  }
}

class StageFailure : public Graph, public testing::WithParamInterface<const char*> {};

TEST_P(StageFailure, FailsThatFrameAloneAndStillShowsIt) {
  break_stage(stages_, GetParam(), [](std::int64_t seq) { return seq % 10 == 9 || seq == 0; });
  add_stream(frames(50));
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), count_up(50));
  EXPECT_EQ(out().failed_numbers(), (std::vector<std::int64_t>{0, 9, 19, 29, 39, 49}));
  EXPECT_EQ(out().frames.at(9).error, std::string(GetParam()) + ": frame 9");
  EXPECT_EQ(summary.streams[0].failed, 6);
  EXPECT_EQ(summary.streams[0].shown, 44);
  EXPECT_EQ(summary.error, nullptr);
  EXPECT_EQ(exit_code(summary), ExitCode::kPartial);
}

TEST_P(StageFailure, TooManyInARowEndTheRun) {
  options_.max_failures = 5;
  break_stage(stages_, GetParam(), [](std::int64_t seq) { return seq == 3 || seq >= 10; });
  add_stream(endless(), "film");
  const RunSummary summary = run();
  EXPECT_EQ(message_of(summary), "film: 5 frames in a row failed, the last with: " +
                                     std::string(GetParam()) + ": frame 14");
  EXPECT_EQ(summary.streams[0].shown, 9);
  EXPECT_FALSE(summary.stopped);
  EXPECT_EQ(exit_code(summary), ExitCode::kInternal);
}

TEST_P(StageFailure, FailuresBelowTheLimitInARowDoNotEndIt) {
  options_.max_failures = 5;
  break_stage(stages_, GetParam(), [](std::int64_t seq) { return seq % 5 != 0; });
  add_stream(frames(50));
  const RunSummary summary = run();
  EXPECT_EQ(summary.error, nullptr);
  EXPECT_EQ(summary.streams[0].failed, 40);
}

INSTANTIATE_TEST_SUITE_P(Stages, StageFailure, testing::Values("preprocess", "explain", "overlay"),
                         [](const auto& stage) { return stage.param; });

TEST_F(Graph, AFrameThatIsGivenUpIsNoFailure) {
  add_stream(frames(20));
  const auto explain = stages_.explain;
  stages_.explain = [explain](const std::vector<Prepared>& frames) {
    if (frames.at(0).frame.seq >= 15) throw Stopped();
    return explain(frames);
  };
  const RunSummary summary = run();
  EXPECT_EQ(out(0).numbers(), count_up(15));
  EXPECT_EQ(summary.streams[0].failed, 0);
  EXPECT_EQ(summary.streams[0].dropped_stop, 5);
  EXPECT_EQ(exit_code(summary), ExitCode::kDone);
}

TEST_F(Graph, FramesThatWouldCarryTheMapOfOneThatIsGivenUpAreGivenUpToo) {
  options_.every = 5;
  add_stream(frames(20));
  const auto explain = stages_.explain;
  stages_.explain = [explain](const std::vector<Prepared>& frames) {
    if (frames.at(0).frame.seq >= 10) throw Stopped();
    return explain(frames);
  };
  const RunSummary summary = run();
  EXPECT_EQ(out(0).numbers(), count_up(10));
  EXPECT_EQ(summary.streams[0].failed, 0);
  EXPECT_EQ(summary.streams[0].dropped_stop, 10);
}

TEST_F(Graph, AFrameThatExplainLeavesOutFails) {
  stages_.explain = [](const std::vector<Prepared>&) { return std::vector<Explanation>(); };
  add_stream(frames(1));
  run();
  EXPECT_EQ(out().frames.at(0).error, "explain: 0 explanations of 1 frames");
}

TEST_F(Graph, AFailedFrameIsNotExplained) {
  break_stage(stages_, "preprocess", [](std::int64_t seq) { return seq == 1; });
  std::vector<std::int64_t> explained;
  stages_.explain = fakes::one_by_one([&](const Prepared& prepared) {
    explained.push_back(prepared.frame.seq);
    return Explanation{};
  });
  frames_in_flight_ = 1;
  add_stream(frames(3));
  run();
  EXPECT_EQ(explained, (std::vector<std::int64_t>{0, 2}));
}

TEST_F(Graph, TheFirstErrorOfAFrameIsKept) {
  break_stage(stages_, "explain", [](std::int64_t) { return true; });
  break_stage(stages_, "overlay", [](std::int64_t) { return true; });
  add_stream(frames(1));
  run();
  EXPECT_EQ(out().frames.at(0).error, "explain: frame 0");
}

TEST_F(Graph, AnOverlayWithoutAPictureIsAFailure) {
  stages_.overlay = [](const Explained&) { return Rendered{}; };
  add_stream(frames(1));
  EXPECT_EQ(run().streams[0].failed, 1);
}

TEST_F(Graph, AStartThatThrowsEndsTheRunBeforeAnyFrame) {
  stages_.explain_start = [] { throw UserError(ExitCode::kModel, "model.pt: unusable"); };
  add_stream(endless());
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].captured, 0);
  EXPECT_EQ(message_of(summary), "model.pt: unusable");
  EXPECT_EQ(exit_code(summary), ExitCode::kModel);
}

// --- An output that fails.

class OutputFailure : public Graph, public testing::WithParamInterface<std::int64_t> {};

TEST_P(OutputFailure, EndsTheRunAndFinishesAllOutputs) {
  Stream& stream = add_stream(endless());
  stream.output = [record = stream.output](const Rendered& rendered) {
    if (rendered.frame().seq == GetParam()) throw UserError(ExitCode::kOutput, "disk full");
    record(rendered);
  };
  add_stream(endless());
  const RunSummary summary = run();
  EXPECT_EQ(out(0).numbers(), count_up(GetParam()));
  EXPECT_EQ(summary.streams[0].failed, 1);
  EXPECT_EQ(summary.streams[0].output_error, "disk full");
  EXPECT_EQ(summary.streams[1].output_error, "");
  EXPECT_EQ(summary.streams[1].dropped_output, 0);
  EXPECT_EQ(message_of(summary), "disk full");
  EXPECT_EQ(exit_code(summary), ExitCode::kOutput);
  EXPECT_FALSE(summary.stopped);
}

INSTANTIATE_TEST_SUITE_P(AtFirstAndMiddle, OutputFailure, testing::Values(0, 13));

TEST_F(Graph, AFinishThatThrowsIsReportedAndTheOthersStillFinish) {
  Stream& stream = add_stream(frames(3));
  stream.finish = [finish = stream.finish] {
    finish();
    throw UserError(ExitCode::kOutput, "a.mp4: cannot be completed");
  };
  add_stream(frames(3));
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].output_error, "a.mp4: cannot be completed");
  EXPECT_EQ(exit_code(summary), ExitCode::kOutput);
}

TEST_F(Graph, TheFirstOfSeveralErrorsIsReported) {
  Stream& stream = add_stream(frames(3));
  stream.output = [](const Rendered&) { throw UserError(ExitCode::kOutput, "first"); };
  stream.finish = [finish = stream.finish] {
    finish();
    throw std::runtime_error("second");
  };
  const RunSummary summary = run();
  EXPECT_EQ(message_of(summary), "first");
  EXPECT_EQ(summary.streams[0].output_error, "first");
}

// --- Stop in every phase.

class Stop : public Graph, public testing::WithParamInterface<std::tuple<const char*, bool>> {
 protected:
  const std::string phase_ = std::get<0>(GetParam());
  /// Requests stop if the test is about `phase`, at frame 5 or, live, the next that came through.
  void reach(const std::string& phase, std::int64_t seq) {
    if (phase == phase_ && seq >= 5) stop_.request_stop();
  }
};

TEST_P(Stop, LetsWhatIsInFlightOutAndFinishes) {
  if (phase_ == "before") stop_.request_stop();
  stages_.explain_start = [&] { reach("start", 5); };
  stages_.preprocess = [&, plain = stages_.preprocess](const Frame& frame) {
    reach("preprocess", frame.seq);
    return plain(frame);
  };
  stages_.explain = [&, plain = stages_.explain](const std::vector<Prepared>& frames) {
    reach("explain", frames.at(0).frame.seq);
    return plain(frames);
  };
  stages_.overlay = [&, plain = stages_.overlay](const Explained& explained) {
    reach("overlay", explained.frame().seq);
    return plain(explained);
  };
  Stream& stream = add_stream([&](std::int64_t call) -> Capture {
    reach("capture", call);
    if (phase_ != "nothing_yet" || call < 5) return picture(call);
    reach("nothing_yet", call);
    return NotYet{};
  });
  stream.live = std::get<1>(GetParam());
  stream.output = [&, record = stream.output](const Rendered& rendered) {
    record(rendered);
    reach("output", rendered.frame().seq);
  };
  const RunSummary summary = run();
  const StreamSummary& counts = summary.streams[0];
  EXPECT_TRUE(summary.stopped);
  EXPECT_EQ(counts.end, StreamEnd::kStopped);
  EXPECT_EQ(static_cast<std::int64_t>(out().frames.size()), counts.shown);
  EXPECT_EQ(counts.failed, 0);
  EXPECT_LE(counts.dropped_stop, 1);
  EXPECT_EQ(exit_code(summary), ExitCode::kDone);
  if (phase_ == "before" || phase_ == "start") {
    EXPECT_EQ(counts.captured, 0);
  } else {
    EXPECT_GE(counts.captured, 5);
  }
}

INSTANTIATE_TEST_SUITE_P(InEveryPhase, Stop,
                         testing::Combine(testing::Values("before", "start", "capture",
                                                          "nothing_yet", "preprocess", "explain",
                                                          "overlay", "output"),
                                          testing::Bool()),
                         [](const auto& test) {
                           return std::get<0>(test.param) +
                                  std::string(std::get<1>(test.param) ? "_live" : "_film");
                         });

TEST_F(Graph, StopWakesACaptureThatWaitsAtTheGate) {
  frames_in_flight_ = 2;
  std::atomic<bool> third_captured{false};
  stages_.explain = fakes::one_by_one([&](const Prepared&) {
    fakes::mark_thread();
    while (!third_captured) std::this_thread::yield();
    stop_.request_stop();
    while (fakes::threads_alive > 1) std::this_thread::yield();  // until capture has ended
    return Explanation{};
  });
  add_stream([&](std::int64_t call) -> Capture {
    if (call == 2) third_captured = true;
    return picture(call);
  });
  const RunSummary summary = run();
  EXPECT_TRUE(summary.stopped);
  EXPECT_EQ(summary.streams[0].shown, 2);
  EXPECT_EQ(summary.streams[0].dropped_stop, 1);
}

TEST_F(Graph, StopWhileOutputsFinishChangesNothing) {
  Stream& stream = add_stream(frames(9));
  stream.finish = [&, finish = stream.finish] {
    stop_.request_stop();
    finish();
  };
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].shown, 9);
  EXPECT_FALSE(summary.stopped);
}

TEST_F(Graph, NoNumberOfFailuresEndsTheRunIfSoAsked) {
  options_.max_failures = 0;
  break_stage(stages_, "explain", [](std::int64_t seq) { return seq > 0; });
  add_stream(frames(60));
  const RunSummary summary = run();
  EXPECT_FALSE(summary.error);
  EXPECT_EQ(summary.streams[0].failed, 59);
}

TEST_F(Graph, RefusesToHaveNoFrameInFlight) {
  frames_in_flight_ = 0;
  add_stream(frames(1));
  EXPECT_THROW(run(), std::invalid_argument);
  EXPECT_EQ(fakes::sources_alive, 0);
}

}  // namespace
}  // namespace gradcam
