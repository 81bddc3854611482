#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "stages/capture/source.h"
#include "stages/frame/frame.h"

namespace gradcam {

/// "[######      ] figures", no wider than a terminal of so many columns; 0 = unknown.
std::string bar_line(double share, const std::string& figures, int columns);

/// Tells on stderr how far the run is: by a bar if stderr is a terminal and the number of frames is
/// known, else by a line every five seconds. Also measures the rate and latency that the HUD shows.
/// Any thread.
class Progress {
 public:
  /// `limit`: frames taken from each source, 0 = all.
  Progress(const std::vector<SourceInfo>& sources, std::int64_t limit,
           bool terminal = stderr_is_terminal());

  void shown(const Rendered& frame, Clock::time_point now = Clock::now());
  /// Ends the line that the bar stands on.
  void finish(Clock::time_point now = Clock::now());

  struct Rate {
    double frames_per_second = 0;  ///< over about the last second; 0 = not known yet
    double latency_p50_ms = 0;     ///< capture to shown, over the same time; at first: the newest
    double latency_p95_ms = 0;     ///< 0 = not known yet
    std::int64_t dropped = 0;      ///< frames of this stream, so far
  };
  Rate rate(int stream) const;

 private:
  struct Stream {
    Rate rate;
    std::int64_t limit = 0;            ///< frames that may be taken; 0: all
    std::int64_t claimed = 0;          ///< frames that the source claims; 0: unknown
    double claimed_rate = 0;           ///< the rate that goes with it
    std::int64_t first = 0, last = 0;  ///< numbers of the first and the newest frame
    std::chrono::nanoseconds first_pts{0}, last_pts{0};
    std::int64_t shown = 0;
    std::int64_t shown_at_mark = 0;
    Clock::time_point mark;
    std::vector<double> latencies_ms;  ///< since the mark
  };
  struct Expected {
    std::int64_t frames = 0;  ///< 0: unknown
    bool estimated = false;
  };
  static bool stderr_is_terminal();
  static Expected expected(const Stream& stream);
  Expected expected() const;
  void print(Clock::time_point now);

  mutable std::mutex mutex_;
  std::vector<Stream> streams_;
  std::int64_t shown_ = 0;  ///< of all streams
  bool terminal_;
  bool bar_shown_ = false;
  Clock::time_point begin_;  ///< when the first frame was shown
  Clock::time_point printed_;
};

}  // namespace gradcam
