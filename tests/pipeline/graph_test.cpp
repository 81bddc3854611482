#include "pipeline/graph.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/pipeline/graph_fixture.h"

namespace gradcam {
namespace {

using fakes::endless;
using fakes::frames;
using fakes::Passed;
using fakes::picture;

TEST_F(Graph, EveryFrameComesOutOnceAndInOrder) {
  add_stream(frames(300));
  const RunSummary summary = run();
  EXPECT_EQ(out().numbers(), count_up(300));
  EXPECT_EQ(summary.streams[0].explained, 300);
  EXPECT_EQ(summary.streams[0].end, StreamEnd::kEnd);
  EXPECT_FALSE(summary.stopped);
  EXPECT_EQ(exit_code(summary), ExitCode::kDone);
}

TEST_F(Graph, WorksWithTheCallingThreadAlone) {
  add_stream(frames(100));
  add_stream(frames(100));
  run(1);
  EXPECT_EQ(out(0).numbers(), count_up(100));
  EXPECT_EQ(out(1).numbers(), count_up(100));
}

TEST_F(Graph, FramesKeepWhatTheSourceSaid) {
  add_stream(frames(3));
  run();
  const Frame& last = out().frames.at(2);
  EXPECT_EQ(last.stream, 0);
  EXPECT_EQ(last.pts, std::chrono::milliseconds(80));
  EXPECT_EQ(last.duration, std::chrono::milliseconds(40));
  EXPECT_EQ(last.image.bgr().at<cv::Vec3b>(0, 0)[0], 2);
  EXPECT_EQ(last.source_size, cv::Size(3, 2));
  EXPECT_GT(last.captured_at, Clock::time_point{});
}

TEST_F(Graph, APictureReplacedByPreprocessGoesOn) {
  stages_.preprocess = [](const Frame& frame) {
    Prepared prepared{frame, nullptr, {}};
    prepared.frame.image = Picture(cv::Mat(1, 1, CV_8UC3));
    prepared.frame.ticket = 77;
    return prepared;
  };
  add_stream(frames(2));
  run();
  EXPECT_EQ(out().frames.at(1).image.width(), 1);
  EXPECT_EQ(out().frames.at(1).source_size.width, 3);
}

TEST_F(Graph, OrderIsKeptWhenPreprocessFinishesOutOfOrder) {
  Passed passed;
  stages_.preprocess = [&](const Frame& frame) {
    if (frame.seq % 5 == 0) passed.wait_for(frame.ticket + 1);
    passed.add(frame.ticket);
    return Prepared{frame, nullptr, {}};
  };
  add_stream(frames(99));
  run();
  EXPECT_EQ(out().numbers(), count_up(99));
}

TEST_F(Graph, OrderIsKeptWhenOverlayFinishesOutOfOrder) {
  Passed passed;
  stages_.overlay = [&](const Explained& explained) {
    const std::uint64_t ticket = explained.frame().ticket;
    if (ticket % 5 == 0) passed.wait_for(ticket + 2);
    passed.add(ticket);
    Rendered rendered;
    rendered.picture = explained.frame().image;
    return rendered;
  };
  add_stream(frames(98));
  run();
  EXPECT_EQ(out().numbers(), count_up(98));
}

TEST_F(Graph, FramesInFlightStayWithinTheGate) {
  frames_in_flight_ = 3;
  std::atomic<int> in_flight{0};
  std::atomic<int> most{0};
  const auto preprocess = stages_.preprocess;
  stages_.preprocess = [&](const Frame& frame) {
    const int now = ++in_flight;
    int seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    return preprocess(frame);
  };
  // The first frame is held until the Gate is full: were it open, all would come in meanwhile.
  stages_.explain = fakes::one_by_one([&](const Prepared& prepared) {
    fakes::mark_thread();
    while (prepared.frame.ticket == 0 && in_flight < 3) std::this_thread::yield();
    return Explanation{};
  });
  Stream& stream = add_stream(frames(500));
  stream.output = [&, record = stream.output](const Rendered& rendered) {
    record(rendered);
    --in_flight;
  };
  run();
  EXPECT_EQ(most, 3);
  EXPECT_EQ(out().numbers(), count_up(500));
}

TEST_F(Graph, ExplainRunsOnOneThreadForAllStreams) {
  std::set<std::thread::id> threads;  // unguarded: ThreadSanitizer sees a second thread, too
  stages_.explain_start = [&] { threads.insert(std::this_thread::get_id()); };
  stages_.explain = fakes::one_by_one([&](const Prepared&) {
    threads.insert(std::this_thread::get_id());
    return Explanation{};
  });
  for (int i = 0; i < 3; ++i) add_stream(frames(50));
  run();
  EXPECT_EQ(threads.size(), 1U);
}

TEST_F(Graph, OutputOfAStreamIsNeverCalledTwiceAtOnce) {
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  Stream& stream = add_stream(frames(300));
  stream.output = [&, record = stream.output](const Rendered& rendered) {
    if (++inside > 1) overlapped = true;
    record(rendered);
    --inside;
  };
  run();
  EXPECT_FALSE(overlapped);
}

TEST_F(Graph, StreamsKeepTheirFramesApart) {
  const std::vector<std::int64_t> lengths{40, 7, 0, 90};
  for (const std::int64_t length : lengths) add_stream(frames(length));
  const RunSummary summary = run();
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    EXPECT_EQ(out(i).numbers(), count_up(lengths[i]));
    EXPECT_EQ(summary.streams[i].shown, lengths[i]);
    for (const Frame& frame : out(i).frames) EXPECT_EQ(frame.stream, static_cast<int>(i));
  }
}

TEST_F(Graph, AnEndlessStreamDoesNotStarveAShortOne) {
  add_stream(endless());
  Stream& stream = add_stream(frames(200));
  stream.output = [&, record = stream.output](const Rendered& rendered) {
    record(rendered);
    if (rendered.frame().seq == 199) stop_.request_stop();
  };
  const RunSummary summary = run();
  EXPECT_EQ(out(1).numbers(), count_up(200));
  EXPECT_EQ(summary.streams[0].end, StreamEnd::kStopped);
  EXPECT_TRUE(summary.stopped);
}

TEST_F(Graph, LimitIsTakenFromEachSource) {
  add_stream(endless()).limit = 12;
  add_stream(frames(5)).limit = 12;
  const RunSummary summary = run();
  EXPECT_EQ(out(0).numbers(), count_up(12));
  EXPECT_EQ(out(1).numbers(), count_up(5));
  EXPECT_EQ(summary.streams[0].end, StreamEnd::kLimit);
  EXPECT_EQ(summary.streams[1].end, StreamEnd::kEnd);
  EXPECT_FALSE(summary.stopped);
}

TEST_F(Graph, NoFramesIsARunToo) {
  add_stream(frames(0));
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].captured, 0);
  EXPECT_EQ(summary.error, nullptr);
}

TEST_F(Graph, NoStreamsIsARunToo) { EXPECT_TRUE(run().streams.empty()); }

TEST_F(Graph, ASourceThatHasNothingYetIsAskedAgain) {
  add_stream([](std::int64_t call) -> Capture {
    if (call % 2 == 0) return NotYet{};
    if (call > 20) return EndOfStream{};
    return picture(call / 2);
  });
  run();
  EXPECT_EQ(out().numbers(), count_up(10));
}

TEST_F(Graph, ASourceCutShortIsRecorded) {
  add_stream([](std::int64_t call) -> Capture {
    if (call < 4) return picture(call);
    return EndOfStream{"4 of 9 frames"};
  });
  const RunSummary summary = run();
  EXPECT_EQ(summary.streams[0].cut_short, "4 of 9 frames");
  EXPECT_EQ(exit_code(summary), ExitCode::kPartial);
}

TEST_F(Graph, StageTimesAreFilledIn) {
  add_stream(frames(3));
  const RunSummary summary = run();
  const StageTimes& ms = out().frames.at(1).ms;
  for (const double time : {ms.capture, ms.preprocess, ms.explain, ms.overlay, ms.output}) {
    EXPECT_GT(time, 0);
  }
  EXPECT_GT(summary.wall_s, 0);
  EXPECT_GE(summary.streams[0].latency.total.p50_ms, summary.streams[0].latency.explain.p50_ms);
}

}  // namespace
}  // namespace gradcam
