#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "config/user_error.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// How durations are spread: mean and quantiles.
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

/// Why a stream ended.
enum class StreamEnd {
  kEnd,      ///< its source had no more
  kLimit,    ///< as many frames as asked for
  kStopped,  ///< stop was requested, or an error ended the run
  kFailed,   ///< its source broke: see `source_error`
};

/// What became of one stream. captured = shown + failed + dropped; shown = explained + carried.
struct StreamSummary {
  std::string name;
  std::int64_t captured = 0;        ///< frames taken from the source
  std::int64_t shown = 0;           ///< written, and not failed
  std::int64_t explained = 0;       ///< shown with a map of their own
  std::int64_t carried = 0;         ///< shown with the map of an earlier frame
  std::int64_t maps = 0;            ///< different maps among the shown
  std::int64_t failed = 0;          ///< not to be decoded, or a stage failed on them: most of these
                                    ///< were written with the error
  std::int64_t first_failed = 0;    ///< number of the first of them
  std::string first_failure;        ///< not empty: which frame failed first, and why
  std::int64_t damaged = 0;         ///< captured, though parts of them are missing in the source
  std::int64_t first_damaged = 0;   ///< number of the first of them
  std::int64_t dropped_newer = 0;   ///< live: a newer frame came before a place was free
  std::int64_t dropped_stop = 0;    ///< captured, but the run stopped before it was explained
  std::int64_t dropped_output = 0;  ///< in flight when their output had broken
  StreamEnd end = StreamEnd::kStopped;
  std::string source_error;  ///< not empty: the source broke in mid-run
  ExitCode source_code = ExitCode::kDone;
  std::string cut_short;     ///< not empty: the film ended before the length that its file claims
  std::string output_error;  ///< not empty: the first failure of output or finish
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

/// What became of a run.
struct RunSummary {
  std::vector<StreamSummary> streams;
  double wall_s = 0;         ///< warm-up and the finishing of outputs included
  bool stopped = false;      ///< `stop` was requested before every source had ended
  std::exception_ptr error;  ///< not null: what ended the run early
  std::int64_t batches = 0;  ///< times that several frames were explained together
};

/// The exit status of a process for which this run was all.
ExitCode exit_code(const RunSummary& summary);

/// One JSON object, without a line end.
std::string to_json(const RunSummary& summary);

}  // namespace gradcam
