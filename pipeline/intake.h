#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "pipeline/gate.h"
#include "pipeline/summary.h"
#include "stages/capture/source.h"
#include "stages/frame/frame.h"

namespace gradcam {

/// Takes the frames of one source, on a thread of its own, and lets them into the graph through the
/// Gate, as films or live.
class Intake {
 public:
  struct Options {
    int stream = 0;
    std::int64_t limit = 0;
    bool live = false;
    int places = 1;
  };
  /// `put` takes an admitted frame into the graph: from the capture thread, or live also from the
  /// one that calls leave().
  Intake(Source& source, const Options& options, std::function<void(const Frame&)> put);

  /// Starts the thread. It runs until the source ends, breaks or reaches its limit, or `stop` is
  /// requested, and keeps `hold` that long.
  void start(const std::stop_token& stop, std::shared_ptr<void> hold);

  /// A frame has left the graph. Any thread.
  void leave();

  /// What capture knows of its stream. To be asked once the thread has ended.
  const StreamSummary& summary() const { return summary_; }

 private:
  void run(const std::stop_token& stop);
  void take_all(const std::stop_token& stop);
  Frame frame_of(Captured captured, double capture_ms);
  void count_undecodable();
  bool admit(Frame frame, const std::stop_token& stop);
  void offer(Frame frame);
  void admit_waiting();
  void drop_waiting();

  Source& source_;
  const Options options_;
  const std::function<void(const Frame&)> put_;
  Gate gate_;
  std::mutex waiting_mutex_;      ///< also held while the waiting frame is let in
  std::optional<Frame> waiting_;  ///< live: the newest, for which there was no place yet
  StreamSummary summary_;         ///< written by the capture thread
  std::jthread thread_;           ///< last: it uses all of the above
};

}  // namespace gradcam
