#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>

namespace gradcam {

/// Bounds the frames of one stream that are in flight, from admission to the end of output, and
/// numbers them. This is the only place where a frame is held back or dropped: what is inside
/// always comes out. Films: every frame waits here for a place, with enter(); its source waits with
/// it. Live: a frame that finds no place waits beside the gate, where a newer frame replaces it.
/// The next frame that leaves lets it in, with try_enter(). So the source never waits, and what is
/// shown is never older than the frames in flight make it.
class Gate {
 public:
  /// `places` >= 1, else std::invalid_argument.
  explicit Gate(int places) : places_(places) {
    if (places < 1) throw std::invalid_argument("a gate needs at least one place");
  }

  /// Takes a place, waiting for one if there is none. The result is the frame's ticket: 0, 1, 2, …
  /// `nullopt`: stop was requested before a place came free. One thread only, the stream's capture.
  std::optional<std::uint64_t> enter(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!place_free_.wait(lock, stop, [this] { return inside_ < places_; })) return std::nullopt;
    ++inside_;
    return next_ticket_++;
  }

  /// Takes a place if there is one. Any thread, but one call at a time.
  std::optional<std::uint64_t> try_enter() {
    const std::lock_guard lock(mutex_);
    if (inside_ == places_) return std::nullopt;
    ++inside_;
    return next_ticket_++;
  }

  /// Gives a place back, once per ticket. Any thread.
  void leave() {
    {
      const std::lock_guard lock(mutex_);
      if (inside_ == 0) throw std::logic_error("a frame left a gate that is empty");
      --inside_;
    }
    place_free_.notify_one();
  }

  int in_flight() const {
    const std::lock_guard lock(mutex_);
    return inside_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any place_free_;
  const int places_;
  int inside_ = 0;
  std::uint64_t next_ticket_ = 0;
};

}  // namespace gradcam
