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
  bool known = true;
  for (const SourceInfo& source : sources) {
    streams_.emplace_back();
    const std::int64_t frames = source.frames.value_or(limit);
    known = known && frames > 0;
    expected_ += limit > 0 ? std::min(limit, frames) : frames;
  }
  if (!known) expected_ = 0;
}

void Progress::shown(const Rendered& frame, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (shown_++ == 0) begin_ = printed_ = now;  // opening and warm-up do not count
  Stream& stream = streams_[static_cast<std::size_t>(frame.frame().stream)];
  if (stream.shown++ == 0) {
    stream.mark = now;
    stream.shown_at_mark = 1;
  }
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
  if (now - printed_ >= (terminal_ && expected_ > 0 ? Clock::duration(kBarPeriod) : kLinePeriod)) {
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
  if (expected_ <= 0) {
    std::fprintf(stderr, "%lld frames, %.1f frames/s\n", count, rate);
    return;
  }
  const double share = std::min(1.0, static_cast<double>(shown_) / static_cast<double>(expected_));
  const double left =
      static_cast<double>(std::max<std::int64_t>(0, expected_ - shown_)) / mean_rate;
  const auto all = static_cast<long long>(expected_);
  if (!terminal_) {
    std::fprintf(stderr, "%lld of %lld frames, %.1f frames/s, %s left\n", count, all, rate,
                 minutes(left).c_str());
    return;
  }
  char figures[128];
  std::snprintf(figures, sizeof figures, "%lld/%lld  %.1f frames/s  %s left  ", count, all, rate,
                minutes(left).c_str());
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
