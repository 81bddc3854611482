#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "config/user_error.h"
#include "stages/frame/frame.h"

namespace gradcam {

/// Durations of an endless run in bounded memory (9 kB): a histogram whose buckets are 2 % wide,
/// so that a quantile is within 1 % of the true one. 1 us .. 1 h; beyond, the smallest and the
/// largest value seen stand for the bucket.
class Durations {
 public:
  void add(double ms);
  std::int64_t count() const { return count_; }
  double mean_ms() const;
  /// The smallest duration that at least the share `q` (0..1) of all do not exceed. 0 of none.
  double quantile_ms(double q) const;
  double longest_ms() const { return max_ms_; }

 private:
  static constexpr std::size_t kBuckets = 1113;
  std::array<std::int64_t, kBuckets> buckets_{};
  std::int64_t count_ = 0;
  double sum_ms_ = 0;
  double min_ms_ = 0;
  double max_ms_ = 0;
};

struct DurationSummary {
  double mean_ms = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
};

/// Of the shown frames: how long each stage worked on one (`explain`: on each map that was shown),
/// and `total` from capture to the end of its output, waiting included.
struct LatencySummary {
  DurationSummary capture, preprocess, explain, overlay, output, total;
};

enum class StreamEnd {
  kEnd,      ///< its source had no more
  kLimit,    ///< as many frames as asked for
  kStopped,  ///< stop was requested, or an error ended the run
  kFailed,   ///< its source broke: see `source_error`
};

/// captured = shown + failed + dropped; shown = explained + carried.
struct StreamSummary {
  std::string name;
  std::int64_t captured = 0;
  std::int64_t shown = 0;
  std::int64_t explained = 0;       ///< shown with a map of their own
  std::int64_t carried = 0;         ///< shown with the map of an earlier frame
  std::int64_t maps = 0;            ///< different maps among the shown
  std::int64_t failed = 0;          ///< a stage failed on them; most were written with the error
  std::string first_failure;        ///< not empty: which frame failed first, and why
  std::int64_t dropped_newer = 0;   ///< live: a newer frame came before a place was free
  std::int64_t dropped_stop = 0;    ///< captured, but the run stopped before it was explained
  std::int64_t dropped_output = 0;  ///< in flight when their output had broken
  StreamEnd end = StreamEnd::kStopped;
  std::string source_error;  ///< not empty: the source broke in mid-run
  ExitCode source_code = ExitCode::kDone;
  std::string cut_short;         ///< not empty: the source ended before its container's claim
  std::string output_error;      ///< not empty: the first failure of output or finish
  double frames_per_second = 0;  ///< written; from the 21st on if there are more than that
  double first_frame_s = 0;      ///< from the start of the run until the first one was written
  LatencySummary latency;
  double longest_explain_ms = 0;  ///< of the maps that were shown
  std::optional<double> flicker;  ///< mean over the maps, see Explanation::flicker
  std::int64_t verified = 0;      ///< maps that were verified; `faithfulness` holds their means
  Faithfulness faithfulness;
  double increase = 0;  ///< share of the verified maps where the score rises

  std::int64_t dropped() const { return dropped_newer + dropped_stop + dropped_output; }
};

struct RunSummary {
  std::vector<StreamSummary> streams;
  double wall_s = 0;         ///< warm-up and the finishing of outputs included
  bool stopped = false;      ///< `stop` was requested before every source had ended
  std::exception_ptr error;  ///< not null: what ended the run early
  std::int64_t batches = 0;  ///< times that several frames were explained together
};

/// What the process should say of such a run by its exit status.
ExitCode exit_code(const RunSummary& summary);

/// One JSON object, without a line end.
std::string to_json(const RunSummary& summary);

/// Keeps count of the written frames of one stream. One call at a time.
class OutputStats {
 public:
  explicit OutputStats(Clock::time_point begin) : begin_(begin) {}
  /// `frame` was written (failed or not) from `from` to `to`.
  void written(const Rendered& frame, Clock::time_point from, Clock::time_point to);
  /// Output threw on it.
  void failed() { ++failed_; }
  void dropped() { ++dropped_; }
  /// The run ended while it was explained.
  void given_up() { ++given_up_; }
  /// Fills in what this object knows.
  void fill(StreamSummary& summary) const;

 private:
  void add_figures(const Explanation& explanation);

  Clock::time_point begin_;
  std::int64_t written_ = 0, explained_ = 0, carried_ = 0, failed_ = 0, dropped_ = 0, given_up_ = 0;
  std::int64_t maps_ = 0;
  std::string first_failure_;
  double flicker_ = 0;  ///< these: sums
  std::int64_t flickers_ = 0, verified_ = 0, increases_ = 0;
  Faithfulness faithfulness_;
  std::optional<std::int64_t> map_of_;       ///< the newest frame that a shown map was made from
  Clock::time_point first_, steady_, last_;  ///< ends of the first, the 20th, the newest frame
  Durations capture_, preprocess_, explain_, overlay_, output_, total_;
};

}  // namespace gradcam
