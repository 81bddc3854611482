#include "pipeline/stats.h"

#include <algorithm>
#include <cmath>

namespace gradcam {
namespace {

constexpr double kSmallestMs = 1e-3;
constexpr double kBucketRatio = 1.02;
constexpr std::int64_t kUnsteadyFrames = 20;

double milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

DurationSummary summarise(const Durations& durations) {
  return {durations.mean_ms(), durations.quantile_ms(0.50), durations.quantile_ms(0.95),
          durations.quantile_ms(0.99)};
}

}  // namespace

void Durations::add(double ms) {
  const double bucket = std::log(std::max(ms, kSmallestMs) / kSmallestMs) / std::log(kBucketRatio);
  ++buckets_[std::min(static_cast<std::size_t>(bucket), kBuckets - 1)];
  min_ms_ = count_ == 0 ? ms : std::min(min_ms_, ms);
  max_ms_ = count_ == 0 ? ms : std::max(max_ms_, ms);
  sum_ms_ += ms;
  ++count_;
}

double Durations::mean_ms() const {
  return count_ == 0 ? 0 : sum_ms_ / static_cast<double>(count_);
}

double Durations::quantile_ms(double q) const {
  if (count_ == 0) return 0;
  const auto rank = static_cast<std::int64_t>(std::ceil(q * static_cast<double>(count_)));
  std::int64_t seen = 0;
  std::size_t bucket = 0;
  for (; bucket < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= std::max<std::int64_t>(rank, 1)) break;
  }
  if (bucket == 0) return min_ms_;
  if (bucket >= kBuckets - 1) return max_ms_;
  const double middle = kSmallestMs * std::pow(kBucketRatio, static_cast<double>(bucket) + 0.5);
  return std::clamp(middle, min_ms_, max_ms_);
}

void OutputStats::written(const Rendered& rendered, Clock::time_point from, Clock::time_point to) {
  const Frame& frame = rendered.frame();
  ++written_;
  if (written_ == 1) first_ = to;
  if (written_ == kUnsteadyFrames) steady_ = to;
  last_ = to;
  if (frame.failed()) {
    if (++failed_ > 1) return;
    first_failed_ = frame.seq;
    first_failure_ = "frame " + std::to_string(frame.seq) + ": " + frame.error;
    return;
  }
  const auto& explanation = rendered.explained.explanation;
  const bool own = explanation && explanation->frame_seq == frame.seq;
  ++(own ? explained_ : carried_);
  // Frames that overtook each other on their way to a map may show an older one once more.
  if (explanation && (!map_of_ || *map_of_ < explanation->frame_seq)) {
    map_of_ = explanation->frame_seq;
    ++maps_;
    explain_.add(explanation->explain_ms);
    add_figures(*explanation);
  }
  capture_.add(frame.ms.capture);
  preprocess_.add(frame.ms.preprocess);
  overlay_.add(frame.ms.overlay);
  output_.add(milliseconds(to - from));
  total_.add(milliseconds(to - frame.captured_at));
}

void OutputStats::add_figures(const Explanation& explanation) {
  if (explanation.flicker) {
    flicker_ += *explanation.flicker;
    ++flickers_;
  }
  if (!explanation.faithfulness) return;
  const Faithfulness& faithfulness = *explanation.faithfulness;
  ++verified_;
  increases_ += faithfulness.increase ? 1 : 0;
  faithfulness_.drop += faithfulness.drop;
  faithfulness_.deletion += faithfulness.deletion;
  faithfulness_.insertion += faithfulness.insertion;
  faithfulness_.randomised += faithfulness.randomised;
}

void OutputStats::fill(StreamSummary& summary) const {
  summary.explained = explained_;
  summary.carried = carried_;
  summary.shown = explained_ + carried_;
  summary.maps = maps_;
  summary.longest_explain_ms = explain_.longest_ms();
  if (flickers_ > 0) summary.flicker = flicker_ / static_cast<double>(flickers_);
  if (summary.verified = verified_; verified_ > 0) {
    const auto count = static_cast<double>(verified_);
    summary.faithfulness = {faithfulness_.drop / count, false, faithfulness_.deletion / count,
                            faithfulness_.insertion / count, faithfulness_.randomised / count};
    summary.increase = static_cast<double>(increases_) / count;
  }
  summary.failed += failed_;
  const bool first = summary.first_failure.empty() || first_failed_ < summary.first_failed;
  if (!first_failure_.empty() && first) {
    summary.first_failed = first_failed_;
    summary.first_failure = first_failure_;
  }
  summary.dropped_output = dropped_;
  summary.dropped_stop += given_up_;
  if (written_ > 0) summary.first_frame_s = seconds(first_ - begin_);
  const bool steady = written_ > kUnsteadyFrames;
  const double span_s = seconds(last_ - (steady ? steady_ : first_));
  const auto frames = static_cast<double>(written_ - (steady ? kUnsteadyFrames : 1));
  if (written_ > 1 && span_s > 0) summary.frames_per_second = frames / span_s;
  summary.latency = {summarise(capture_), summarise(preprocess_), summarise(explain_),
                     summarise(overlay_), summarise(output_),     summarise(total_)};
}

}  // namespace gradcam
