#include "pipeline/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace gradcam {
namespace {

using std::chrono::duration;
using std::chrono::seconds;

constexpr auto kRatePeriod = seconds(1);
constexpr auto kBarPeriod = std::chrono::milliseconds(200);
constexpr auto kLinePeriod = seconds(5);

double seconds_of(Clock::duration time) { return duration<double>(time).count(); }

/// The smallest value that the share `q` of all do not exceed; `values` is not empty.
double quantile(std::vector<double>& values, double q) {
  const double rank = std::ceil(q * static_cast<double>(values.size())) - 1;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max(0.0, rank));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

std::string minutes(double s) {
  char text[32];
  const long whole = std::lround(s);
  std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

/// 0 if stderr is no terminal or does not tell.
int terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

std::string bar_line(double share, const std::string& figures, int columns) {
  constexpr int kWidest = 30;
  constexpr int kNarrowest = 4;
  const int figures_width = static_cast<int>(figures.size());
  // The last column stays free: a terminal that has filled it may go to the next line.
  const int room = columns > 0 ? columns - 1 - figures_width - 3 : kWidest;
  if (room < kNarrowest) return figures.substr(0, static_cast<std::size_t>(columns - 1));
  const int width = std::min(room, kWidest);
  std::string bar(static_cast<std::size_t>(share * width), '#');
  bar.resize(static_cast<std::size_t>(width), ' ');
  return "[" + bar + "] " + figures;
}

bool Progress::stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

Progress::Progress(const std::vector<SourceInfo>& sources, std::int64_t limit, bool terminal)
    : terminal_(terminal) {
  for (const SourceInfo& source : sources) {
    Stream& stream = streams_.emplace_back();
    stream.limit = limit;
    stream.claimed = source.frames.value_or(0);
    stream.claimed_rate = source.frames_per_second;
  }
}

/// A film whose rate varies claims as many frames as if all were as near to each other as the
/// nearest two: the distances seen so far tell more.
Progress::Expected Progress::expected(const Stream& stream) {
  Expected expected{stream.claimed, false};
  const double span_s = duration<double>(stream.last_pts - stream.first_pts).count();
  const auto steps = static_cast<double>(stream.last - stream.first);
  if (expected.frames > 0 && stream.claimed_rate > 0 && span_s > 0 && steps > 0) {
    const double share = steps / span_s / stream.claimed_rate;
    expected.estimated = share < 0.8 || share > 1.25;
    if (expected.estimated) {
      expected.frames = std::llround(static_cast<double>(expected.frames) * share);
    }
  }
  if (stream.limit > 0 && (expected.frames == 0 || stream.limit <= expected.frames)) {
    return {stream.limit, false};
  }
  return expected;
}

/// Of all streams; unknown where one of them is, or has given more than it claimed.
Progress::Expected Progress::expected() const {
  Expected sum;
  for (const Stream& stream : streams_) {
    const Expected one = expected(stream);
    if (one.frames < stream.shown || one.frames <= 0) return {};
    sum.frames += one.frames;
    sum.estimated |= one.estimated;
  }
  return sum;
}

void Progress::shown(const Rendered& frame, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (shown_++ == 0) begin_ = printed_ = now;  // opening and warm-up do not count
  Stream& stream = streams_[static_cast<std::size_t>(frame.frame().stream)];
  if (stream.shown++ == 0) {
    stream.mark = now;
    stream.shown_at_mark = 1;
    stream.first = frame.frame().seq;
    stream.first_pts = frame.frame().pts;
  }
  stream.last = frame.frame().seq;
  stream.last_pts = frame.frame().pts;
  const double latency_ms = 1000 * seconds_of(now - frame.frame().captured_at);
  if (stream.rate.latency_p95_ms <= 0) stream.rate.latency_p50_ms = latency_ms;
  stream.latencies_ms.push_back(latency_ms);
  stream.rate.dropped += frame.frame().dropped_before;
  if (now - stream.mark >= kRatePeriod) {
    stream.rate.frames_per_second =
        static_cast<double>(stream.shown - stream.shown_at_mark) / seconds_of(now - stream.mark);
    stream.rate.latency_p50_ms = quantile(stream.latencies_ms, 0.50);
    stream.rate.latency_p95_ms = quantile(stream.latencies_ms, 0.95);
    stream.latencies_ms.clear();
    stream.mark = now;
    stream.shown_at_mark = stream.shown;
  }
  const bool bar = terminal_ && expected().frames > 0;
  if (now - printed_ >= (bar ? Clock::duration(kBarPeriod) : kLinePeriod)) {
    print(now);
    printed_ = now;
  }
}

void Progress::print(Clock::time_point now) {
  const double mean_rate = static_cast<double>(shown_ - 1) / seconds_of(now - begin_);
  double rate = 0;
  for (const Stream& stream : streams_) rate += stream.rate.frames_per_second;
  if (rate <= 0) rate = mean_rate;
  const auto count = static_cast<long long>(shown_);
  const Expected expected = this->expected();
  if (expected.frames <= 0) {
    if (bar_shown_) std::fputc('\n', stderr);
    bar_shown_ = false;
    std::fprintf(stderr, "%lld frames, %.1f frames/s\n", count, rate);
    return;
  }
  const double share = static_cast<double>(shown_) / static_cast<double>(expected.frames);
  const double left = static_cast<double>(expected.frames - shown_) / mean_rate;
  const auto all = static_cast<long long>(expected.frames);
  const char* const about = expected.estimated ? "about " : "";
  if (!terminal_) {
    std::fprintf(stderr, "%lld of %s%lld frames, %.1f frames/s, %s left\n", count, about, all, rate,
                 minutes(left).c_str());
    return;
  }
  char figures[128];
  std::snprintf(figures, sizeof figures, "%lld/%s%lld  %.1f frames/s  %s left  ", count, about, all,
                rate, minutes(left).c_str());
  std::fprintf(stderr, "\r%s", bar_line(share, figures, terminal_columns()).c_str());
  bar_shown_ = true;
}

void Progress::finish(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (!bar_shown_) return;
  print(now);
  std::fputc('\n', stderr);
  bar_shown_ = false;
}

Progress::Rate Progress::rate(int stream) const {
  const std::lock_guard lock(mutex_);
  return streams_[static_cast<std::size_t>(stream)].rate;
}

}  // namespace gradcam
