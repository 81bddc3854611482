#include "pipeline/stats.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace gradcam {
namespace {

using std::chrono::milliseconds;

const Clock::time_point kBegin{};

Clock::time_point at_ms(int ms) { return kBegin + milliseconds(ms); }

/// Frame `seq`, captured at `captured_ms`, with a map computed from frame `map_of`.
Rendered rendered(std::int64_t seq, int captured_ms, std::int64_t map_of) {
  Rendered result;
  Frame& frame = result.explained.prepared.frame;
  frame.seq = seq;
  frame.captured_at = at_ms(captured_ms);
  Explanation explanation;
  explanation.frame_seq = map_of;
  result.explained.explanation = std::make_shared<const Explanation>(explanation);
  return result;
}

Rendered failed(std::int64_t seq) {
  Rendered result;
  result.explained.prepared.frame.seq = seq;
  result.explained.prepared.frame.fail("explain: broken");
  return result;
}

/// The same, verified.
Rendered verified(std::int64_t seq, double flicker, const Faithfulness& faithfulness) {
  Rendered result = rendered(seq, 0, seq);
  Explanation explanation = *result.explained.explanation;
  explanation.flicker = flicker;
  explanation.faithfulness = faithfulness;
  result.explained.explanation = std::make_shared<const Explanation>(explanation);
  return result;
}

StreamSummary summary_of(const OutputStats& stats) {
  StreamSummary summary;
  stats.fill(summary);
  return summary;
}

TEST(Durations, NoneGiveZero) {
  const Durations durations;
  EXPECT_EQ(durations.count(), 0);
  EXPECT_EQ(durations.mean_ms(), 0);
  EXPECT_EQ(durations.quantile_ms(0.5), 0);
}

TEST(Durations, OneIsEveryQuantileExactly) {
  Durations durations;
  durations.add(12.34);
  EXPECT_DOUBLE_EQ(durations.quantile_ms(0), 12.34);
  EXPECT_DOUBLE_EQ(durations.quantile_ms(0.5), 12.34);
  EXPECT_DOUBLE_EQ(durations.quantile_ms(0.99), 12.34);
}

TEST(Durations, QuantilesOfOneToHundredAreWithinOnePercent) {
  Durations durations;
  for (int ms = 100; ms >= 1; --ms) durations.add(ms);
  EXPECT_DOUBLE_EQ(durations.mean_ms(), 50.5);
  EXPECT_NEAR(durations.quantile_ms(0.50), 50, 0.50);
  EXPECT_NEAR(durations.quantile_ms(0.95), 95, 0.95);
  EXPECT_NEAR(durations.quantile_ms(0.99), 99, 0.99);
  EXPECT_NEAR(durations.quantile_ms(1.00), 100, 1.00);
}

TEST(Durations, QuantilesAreWithinOnePercentFromMicrosecondsToAnHour) {
  for (double ms = 0.0011; ms < 3.5e6; ms *= 1.37) {
    Durations durations;
    durations.add(ms / 2);
    durations.add(ms);
    durations.add(ms * 1.5);
    EXPECT_NEAR(durations.quantile_ms(0.5), ms, ms * 0.01);
  }
}

TEST(Durations, BeyondItsRangeTheExtremesStand) {
  Durations durations;
  durations.add(0);
  durations.add(1);
  durations.add(1e9);
  EXPECT_DOUBLE_EQ(durations.quantile_ms(0), 0);
  EXPECT_DOUBLE_EQ(durations.quantile_ms(1), 1e9);
}

TEST(OutputStats, TellsExplainedFromCarriedFromFailed) {
  OutputStats stats(kBegin);
  stats.written(rendered(0, 0, 0), at_ms(1), at_ms(2));
  stats.written(rendered(1, 0, 0), at_ms(2), at_ms(3));
  stats.written(rendered(2, 0, 0), at_ms(3), at_ms(4));
  stats.written(failed(3), at_ms(4), at_ms(5));
  stats.failed();
  stats.dropped();
  const StreamSummary summary = summary_of(stats);
  EXPECT_EQ(summary.explained, 1);
  EXPECT_EQ(summary.carried, 2);
  EXPECT_EQ(summary.shown, 3);
  EXPECT_EQ(summary.failed, 2);
  EXPECT_EQ(summary.dropped_output, 1);
}

TEST(OutputStats, CountsEachMapOnce) {
  OutputStats stats(kBegin);
  std::int64_t seq = 0;
  for (const std::int64_t map_of : {0, 1, 0, 1, 4, 4}) {
    stats.written(rendered(seq++, 0, map_of), at_ms(1), at_ms(2));
  }
  EXPECT_EQ(summary_of(stats).maps, 3);
}

TEST(OutputStats, ExplainTimesAreThoseOfTheMaps) {
  OutputStats stats(kBegin);
  for (const double ms : {30.0, 10.0}) {
    Rendered own = rendered(ms < 20 ? 2 : 0, 0, 0);
    Explanation explanation = *own.explained.explanation;
    explanation.frame_seq = own.frame().seq;
    explanation.explain_ms = ms;
    own.explained.explanation = std::make_shared<const Explanation>(explanation);
    stats.written(own, at_ms(1), at_ms(2));
    own.explained.prepared.frame.seq += 1;
    stats.written(own, at_ms(2), at_ms(3));
  }
  const StreamSummary summary = summary_of(stats);
  EXPECT_DOUBLE_EQ(summary.latency.explain.mean_ms, 20);
  EXPECT_DOUBLE_EQ(summary.longest_explain_ms, 30);
}

TEST(OutputStats, LatencyIsFromCaptureToTheEndOfOutput) {
  OutputStats stats(kBegin);
  stats.written(rendered(0, 10, 0), at_ms(35), at_ms(40));
  const LatencySummary latency = summary_of(stats).latency;
  EXPECT_DOUBLE_EQ(latency.output.p50_ms, 5);
  EXPECT_DOUBLE_EQ(latency.total.p50_ms, 30);
}

TEST(OutputStats, FailedFramesAreNotTimed) {
  OutputStats stats(kBegin);
  stats.written(failed(0), at_ms(0), at_ms(500));
  stats.written(rendered(1, 500, 1), at_ms(501), at_ms(502));
  EXPECT_DOUBLE_EQ(summary_of(stats).latency.output.mean_ms, 1);
}

TEST(OutputStats, RateOfAShortRunIsFromTheFirstFrameOn) {
  OutputStats stats(kBegin);
  for (int i = 0; i < 5; ++i) stats.written(rendered(i, 0, i), kBegin, at_ms(1000 + 100 * i));
  const StreamSummary summary = summary_of(stats);
  EXPECT_DOUBLE_EQ(summary.frames_per_second, 10);
  EXPECT_DOUBLE_EQ(summary.first_frame_s, 1);
}

TEST(OutputStats, RateOfALongRunLeavesOutTheFirstTwentyFrames) {
  OutputStats stats(kBegin);
  for (int i = 1; i <= 20; ++i) stats.written(rendered(i, 0, i), kBegin, at_ms(1000 * i));
  for (int i = 1; i <= 10; ++i) stats.written(rendered(i, 0, i), kBegin, at_ms(20000 + 50 * i));
  EXPECT_DOUBLE_EQ(summary_of(stats).frames_per_second, 20);
}

TEST(OutputStats, OneFrameHasNoRate) {
  OutputStats stats(kBegin);
  stats.written(rendered(0, 0, 0), at_ms(1), at_ms(2));
  EXPECT_EQ(summary_of(stats).frames_per_second, 0);
}

StreamSummary ended(StreamEnd end, std::int64_t shown) {
  StreamSummary stream;
  stream.name = "a";
  stream.end = end;
  stream.captured = stream.shown = stream.explained = shown;
  if (end == StreamEnd::kFailed) stream.source_code = ExitCode::kSource;
  return stream;
}

RunSummary run_of(std::vector<StreamSummary> streams) {
  RunSummary summary;
  summary.streams = std::move(streams);
  return summary;
}

TEST(ExitCodeOfRun, CompleteRunsAreDone) {
  EXPECT_EQ(exit_code(run_of({ended(StreamEnd::kEnd, 5)})), ExitCode::kDone);
  EXPECT_EQ(exit_code(run_of({ended(StreamEnd::kLimit, 5)})), ExitCode::kDone);
  EXPECT_EQ(exit_code(run_of({ended(StreamEnd::kStopped, 0)})), ExitCode::kDone);
  EXPECT_EQ(exit_code(run_of({})), ExitCode::kDone);
}

TEST(ExitCodeOfRun, OnlySourceThatShowedNothingCouldNotBePlayed) {
  EXPECT_EQ(exit_code(run_of({ended(StreamEnd::kFailed, 0)})), ExitCode::kSource);
}

TEST(ExitCodeOfRun, OnlySourceThatBreaksLaterIsPartial) {
  EXPECT_EQ(exit_code(run_of({ended(StreamEnd::kFailed, 3)})), ExitCode::kPartial);
}

TEST(ExitCodeOfRun, OneOfSeveralSourcesThatFailsIsPartial) {
  EXPECT_EQ(exit_code(run_of({ended(StreamEnd::kEnd, 3), ended(StreamEnd::kFailed, 0)})),
            ExitCode::kPartial);
}

TEST(ExitCodeOfRun, AllSourcesFailedAtOnceIsASourceError) {
  EXPECT_EQ(exit_code(run_of({ended(StreamEnd::kFailed, 0), ended(StreamEnd::kFailed, 0)})),
            ExitCode::kSource);
}

TEST(ExitCodeOfRun, ABugInASourceIsInternal) {
  StreamSummary stream = ended(StreamEnd::kFailed, 0);
  stream.source_code = ExitCode::kInternal;
  EXPECT_EQ(exit_code(run_of({stream})), ExitCode::kInternal);
}

TEST(ExitCodeOfRun, FailedFramesArePartialEvenWhenStopped) {
  StreamSummary stream = ended(StreamEnd::kStopped, 3);
  stream.failed = 1;
  EXPECT_EQ(exit_code(run_of({stream})), ExitCode::kPartial);
}

TEST(ExitCodeOfRun, ASourceCutShortIsPartial) {
  StreamSummary stream = ended(StreamEnd::kEnd, 3);
  stream.cut_short = "3 of 9 frames";
  EXPECT_EQ(exit_code(run_of({stream})), ExitCode::kPartial);
}

TEST(ExitCodeOfRun, AnErrorThatEndedTheRunCounts) {
  RunSummary summary = run_of({ended(StreamEnd::kFailed, 0)});
  summary.error = std::make_exception_ptr(UserError(ExitCode::kOutput, "disk full"));
  EXPECT_EQ(exit_code(summary), ExitCode::kOutput);
  summary.error = std::make_exception_ptr(std::runtime_error("bug"));
  EXPECT_EQ(exit_code(summary), ExitCode::kInternal);
}

TEST(SummaryJson, HoldsTheFiguresOfTheRun) {
  StreamSummary stream = ended(StreamEnd::kEnd, 7);
  stream.failed = 1;
  stream.dropped_newer = 3;
  stream.dropped_stop = 2;
  stream.maps = 4;
  stream.longest_explain_ms = 41.25;
  stream.frames_per_second = 12.34567;
  stream.latency.explain.p95_ms = 40.5;
  stream.cut_short = "10 of 20 frames";
  RunSummary summary = run_of({stream});
  summary.wall_s = 1.5;
  summary.batches = 2;
  const auto json = nlohmann::json::parse(to_json(summary));
  EXPECT_EQ(json["wall_s"], 1.5);
  EXPECT_EQ(json["stopped"], false);
  EXPECT_EQ(json["batches"], 2);
  EXPECT_FALSE(json.contains("error"));
  const auto& first = json["streams"][0];
  EXPECT_EQ(first["name"], "a");
  EXPECT_EQ(first["end"], "end");
  EXPECT_EQ(first["shown"], 7);
  EXPECT_EQ(first["failed"], 1);
  EXPECT_EQ(first["dropped"]["newer"], 3);
  EXPECT_EQ(first["dropped"]["stop"], 2);
  EXPECT_EQ(first["maps"], 4);
  EXPECT_EQ(first["longest_explain_ms"], 41.25);
  EXPECT_EQ(first["frames_per_second"], 12.346);
  EXPECT_EQ(first["latency_ms"]["explain"]["p95"], 40.5);
  EXPECT_EQ(first["cut_short"], "10 of 20 frames");
  EXPECT_FALSE(first.contains("source_error"));
}

TEST(SummaryJson, IsValidForNamesThatAreNotUtf8) {
  StreamSummary stream = ended(StreamEnd::kEnd, 1);
  stream.name = "caf\xe9.mp4";
  RunSummary summary = run_of({stream});
  summary.error = std::make_exception_ptr(std::runtime_error("stopped by a bug"));
  const auto json = nlohmann::json::parse(to_json(summary));
  EXPECT_EQ(json["error"], "stopped by a bug");
  EXPECT_EQ(json["streams"][0]["name"], "caf\xef\xbf\xbd.mp4");
}

TEST(OutputStats, FaithfulnessIsTheMeanOverVerifiedMaps) {
  OutputStats stats(kBegin);
  stats.written(verified(0, 0.1, {0.2, true, 0.3, 0.8, 0}), at_ms(0), at_ms(1));
  stats.written(rendered(1, 0, 1), at_ms(2), at_ms(3));
  stats.written(verified(2, 0.3, {0.4, false, 0.1, 0.6, 0.5}), at_ms(4), at_ms(5));
  const StreamSummary summary = summary_of(stats);
  EXPECT_EQ(summary.verified, 2);
  EXPECT_NEAR(summary.flicker.value(), 0.2, 1e-9);
  EXPECT_NEAR(summary.faithfulness.drop, 0.3, 1e-9);
  EXPECT_NEAR(summary.increase, 0.5, 1e-9);
  EXPECT_NEAR(summary.faithfulness.deletion, 0.2, 1e-9);
  EXPECT_NEAR(summary.faithfulness.insertion, 0.7, 1e-9);
  EXPECT_NEAR(summary.faithfulness.randomised, 0.25, 1e-9);
  RunSummary run;
  run.streams = {summary};
  EXPECT_EQ(nlohmann::json::parse(to_json(run))["streams"][0]["trust"]["maps"], 2);
}

}  // namespace
}  // namespace gradcam
