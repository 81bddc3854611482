#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "pipeline/summary.h"
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

/// Keeps count of the written frames of one stream. One call at a time.
class OutputStats {
 public:
  explicit OutputStats(Clock::time_point begin) : begin_(begin) {}
  /// `rendered` was written (failed or not) from `from` to `to`.
  void written(const Rendered& rendered, Clock::time_point from, Clock::time_point to);
  /// Output threw on a frame.
  void failed() { ++failed_; }
  /// A frame was not written, because output had thrown before.
  void dropped() { ++dropped_; }
  /// The run ended while a frame was explained.
  void given_up() { ++given_up_; }
  /// Fills in what this object knows.
  void fill(StreamSummary& summary) const;

 private:
  void add_figures(const Explanation& explanation);

  Clock::time_point begin_;
  std::int64_t written_ = 0, explained_ = 0, carried_ = 0, failed_ = 0, dropped_ = 0, given_up_ = 0;
  std::int64_t maps_ = 0;
  std::int64_t first_failed_ = 0;
  std::string first_failure_;
  double flicker_ = 0;  ///< a sum over the maps, as are the figures that follow
  std::int64_t flickers_ = 0, verified_ = 0, increases_ = 0;
  Faithfulness faithfulness_;
  std::optional<std::int64_t> map_of_;       ///< the newest frame whose map was shown
  Clock::time_point first_, steady_, last_;  ///< ends of the first, the 20th, the newest frame
  Durations capture_, preprocess_, explain_, overlay_, output_, total_;
};

}  // namespace gradcam
