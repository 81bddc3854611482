#include "pipeline/progress.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace gradcam {
namespace {

using std::chrono::duration;
using std::chrono::seconds;

constexpr auto kRatePeriod = seconds(1);
constexpr auto kBarPeriod = std::chrono::milliseconds(200);
constexpr auto kLinePeriod = seconds(5);

double seconds_of(Clock::duration time) { return duration<double>(time).count(); }

std::string minutes(double s) {
  char text[32];
  const int whole = static_cast<int>(s + 0.5);
  std::snprintf(text, sizeof text, "%d:%02d", whole / 60, whole % 60);
  return text;
}

}  // namespace

Progress::Progress(const std::vector<SourceInfo>& sources, std::int64_t limit)
    : terminal_(isatty(STDERR_FILENO) == 1), begin_(Clock::now()), printed_(begin_) {
  bool known = true;
  for (const SourceInfo& source : sources) {
    Stream stream;
    stream.name = source.name;
    stream.mark = begin_;
    streams_.push_back(stream);
    const std::int64_t frames = source.frames.value_or(limit);
    known = known && frames > 0;
    expected_ += limit > 0 ? std::min(limit, frames) : frames;
  }
  if (!known) expected_ = 0;
}

void Progress::shown(const Rendered& frame) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  Stream& stream = streams_[static_cast<std::size_t>(frame.frame().stream)];
  if (stream.shown == 0) stream.mark = now;  // warm-up does not count
  ++stream.shown;
  stream.rate.latency_ms = 1000 * seconds_of(now - frame.frame().captured_at);
  if (now - stream.mark >= kRatePeriod) {
    stream.rate.frames_per_second =
        static_cast<double>(stream.shown - stream.shown_at_mark - (stream.shown_at_mark == 0)) /
        seconds_of(now - stream.mark);
    stream.mark = now;
    stream.shown_at_mark = stream.shown;
  }
  if (now - printed_ >= (terminal_ && expected_ > 0 ? Clock::duration(kBarPeriod) : kLinePeriod)) {
    print(now);
    printed_ = now;
  }
}

void Progress::print(Clock::time_point now) {
  std::int64_t shown = 0;
  double rate = 0;
  for (const Stream& stream : streams_) {
    shown += stream.shown;
    rate += stream.rate.frames_per_second;
  }
  if (rate <= 0) rate = static_cast<double>(shown) / seconds_of(now - begin_);
  const auto count = static_cast<long long>(shown);
  if (expected_ <= 0) {
    std::fprintf(stderr, "%lld frames, %.1f frames/s\n", count, rate);
    return;
  }
  const double share = std::min(1.0, static_cast<double>(shown) / static_cast<double>(expected_));
  const double left = static_cast<double>(std::max<std::int64_t>(0, expected_ - shown)) / rate;
  const auto all = static_cast<long long>(expected_);
  if (!terminal_) {
    std::fprintf(stderr, "%lld of %lld frames, %.1f frames/s, %s left\n", count, all, rate,
                 minutes(left).c_str());
    return;
  }
  const std::string bar(static_cast<std::size_t>(share * 30), '#');
  std::fprintf(stderr, "\r[%-30s] %lld/%lld  %.1f frames/s  %s left  ", bar.c_str(), count, all,
               rate, minutes(left).c_str());
  bar_shown_ = true;
}

void Progress::finish() {
  const std::lock_guard lock(mutex_);
  if (!bar_shown_) return;
  print(Clock::now());
  std::fputc('\n', stderr);
  bar_shown_ = false;
}

Progress::Rate Progress::rate(int stream) const {
  const std::lock_guard lock(mutex_);
  return streams_[static_cast<std::size_t>(stream)].rate;
}

}  // namespace gradcam
