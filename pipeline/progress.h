#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/frame.h"
#include "stages/capture/source.h"

namespace gradcam {

/// How far the run is: a bar on a terminal, else a line every five seconds, on stderr; and the rate
/// and latency that the HUD shows. Any thread.
class Progress {
 public:
  Progress(const std::vector<SourceInfo>& sources, std::int64_t limit);

  void shown(const Rendered& frame);
  /// Ends the line that the bar stands on.
  void finish();

  struct Rate {
    double frames_per_second = 0;  ///< over about the last second; 0 = not known yet
    double latency_ms = 0;         ///< capture to shown of the newest frame
  };
  Rate rate(int stream) const;
  bool several() const { return streams_.size() > 1; }
  const std::string& name(int stream) const {
    return streams_[static_cast<std::size_t>(stream)].name;
  }

 private:
  struct Stream {
    std::string name;
    Rate rate;
    std::int64_t shown = 0;
    std::int64_t shown_at_mark = 0;
    Clock::time_point mark;
  };
  void print(Clock::time_point now);

  mutable std::mutex mutex_;
  std::vector<Stream> streams_;
  std::int64_t expected_ = 0;  ///< frames of all streams; 0 = unknown
  bool terminal_;
  bool bar_shown_ = false;
  Clock::time_point begin_;
  Clock::time_point printed_;
};

}  // namespace gradcam
