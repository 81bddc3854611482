#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "stages/capture/source.h"
#include "stages/frame/clock.h"

namespace gradcam {

/// Lets whoever watches hold a source up. Shared with the source; any thread.
class Playback {
 public:
  void set_paused(bool paused);
  /// While paused: one more picture.
  void step();

 private:
  friend class PacedSource;
  /// Waits at most until `limit` for leave to go on; true if there is, `resumed` if it was held up.
  bool may_go_on(Clock::time_point limit, bool& resumed);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool paused_ = false;
  int steps_ = 0;
};

/// `source` at its own speed: each picture when its presentation time is due, counted from the
/// first. After a hold-up (a pause, or a reader that was late by more than a fifth of a second) the
/// time goes on from there: nothing is hurried. For sources that are not live.
std::unique_ptr<Source> paced(std::unique_ptr<Source> source, std::shared_ptr<Playback> playback,
                              Now now = Clock::now);

}  // namespace gradcam
