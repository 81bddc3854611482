#include "pipeline/intake.h"

#include <utility>

#include "pipeline/error_text.h"

namespace gradcam {
namespace {

/// How soon a stop is noticed by a capture thread whose source has nothing.
constexpr std::chrono::milliseconds kPoll{100};

}  // namespace

Intake::Intake(Source& source, const Options& options, std::function<void(const Frame&)> put)
    : source_(source), options_(options), put_(std::move(put)), gate_(options.places) {
  summary_.name = source.info().name;
}

void Intake::start(const std::stop_token& stop, std::shared_ptr<void> hold) {
  thread_ = std::jthread([this, stop, hold = std::move(hold)] { run(stop); });
}

void Intake::leave() {
  gate_.leave();
  const std::lock_guard lock(waiting_mutex_);
  admit_waiting();
}

void Intake::run(const std::stop_token& stop) {
  try {
    take_all(stop);
  } catch (...) {
    summary_.end = StreamEnd::kFailed;
    summary_.source_error = message_of(std::current_exception());
    summary_.source_code = code_of(std::current_exception());
  }
}

void Intake::take_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (options_.limit > 0 && summary_.captured == options_.limit) {
      summary_.end = StreamEnd::kLimit;
      return;
    }
    const auto begin = Clock::now();
    Capture next = source_.next(kPoll);
    if (const auto* end = std::get_if<EndOfStream>(&next)) {
      summary_.end = StreamEnd::kEnd;
      summary_.cut_short = end->cut_short;
      return;
    }
    if (std::holds_alternative<Undecodable>(next)) count_undecodable();
    if (auto* picture = std::get_if<Captured>(&next)) {
      if (picture->damaged && ++summary_.damaged == 1) summary_.first_damaged = summary_.captured;
      Frame frame = frame_of(std::move(*picture), ms_since(begin));
      if (options_.live) {
        offer(std::move(frame));
      } else if (!admit(std::move(frame), stop)) {
        return;
      }
    }
  }
  drop_waiting();
}

/// It is one of the stream's frames, and has its number, but there is nothing to show.
void Intake::count_undecodable() {
  const std::int64_t seq = summary_.captured++;
  if (++summary_.failed > 1) return;
  summary_.first_failed = seq;
  summary_.first_failure = "frame " + std::to_string(seq) + ": it cannot be decoded";
}

Frame Intake::frame_of(Captured captured, double capture_ms) {
  Frame frame;
  frame.stream = options_.stream;
  frame.seq = summary_.captured++;
  frame.pts = captured.pts;
  frame.duration = captured.duration;
  frame.captured_at = Clock::now();
  frame.source_size = captured.image.size();
  frame.image = std::move(captured.image);
  frame.ms.capture = capture_ms;
  return frame;
}

/// Films. False: the run stops.
bool Intake::admit(Frame frame, const std::stop_token& stop) {
  const std::optional<std::uint64_t> ticket = gate_.enter(stop);
  if (!ticket) {
    ++summary_.dropped_stop;
    return false;
  }
  frame.ticket = *ticket;
  put_(frame);
  return true;
}

/// Live: never waits.
void Intake::offer(Frame frame) {
  const std::lock_guard lock(waiting_mutex_);
  if (waiting_) {
    ++summary_.dropped_newer;
    frame.dropped_before = waiting_->dropped_before + 1;
  }
  waiting_ = std::move(frame);
  admit_waiting();
}

/// With waiting_mutex_ held. A frame only waits while others are under way, and those call this
/// when they leave: the graph is not idle as long as one waits.
void Intake::admit_waiting() {
  if (!waiting_) return;
  const std::optional<std::uint64_t> ticket = gate_.try_enter();
  if (!ticket) return;
  waiting_->ticket = *ticket;
  put_(*waiting_);
  waiting_.reset();
}

/// The run stops.
void Intake::drop_waiting() {
  const std::lock_guard lock(waiting_mutex_);
  if (!waiting_) return;
  waiting_.reset();
  ++summary_.dropped_stop;
}

}  // namespace gradcam
