#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "stages/capture/source.h"
#include "stages/capture/stream_time.h"
#include "stages/frame/clock.h"
#include "stages/media/gst_handles.h"

namespace gradcam::gst {

/// A pipeline whose pictures are pulled by one thread: what all sources that read with GStreamer
/// share.
class Stream {
 public:
  explicit Stream(Now now = Clock::now) : now_(std::move(now)) {}

  /// Makes the pipeline of `launch`, which names its `videoconvert` "convert", and an appsink; it
  /// is not started. False, and `error` why, where GStreamer cannot.
  bool build(const std::string& launch, std::string& error);

  GstElement* pipeline() const { return pipeline_.get(); }
  GstElement* sink() const { return sink_.get(); }
  GstBus* bus() const { return bus_.get(); }

  /// Waits for a picture and keeps it for the next pull(); nullptr if none came.
  GstSample* peek(std::chrono::nanoseconds timeout);
  Sample pull(std::chrono::nanoseconds timeout);
  bool ended() const;
  /// How long pull() has waited in vain since the last picture.
  std::chrono::nanoseconds silent() const { return silent_; }
  /// The first error that nobody has read yet; nullptr if there is none.
  Message error() const;

  /// Size and rate, from the first picture's format; false where that is not understood.
  static bool describe(GstSample* sample, SourceInfo& info);
  /// Pixels and duration of a sample; no pixels where they cannot be read from memory. Its time is
  /// `pts`, by the clock that the caller goes by, which `cleaner` makes increase strictly.
  static Captured capture(GstSample* sample, std::optional<std::chrono::nanoseconds> pts,
                          PtsCleaner& cleaner);

 private:
  Now now_;
  Pipeline pipeline_;
  Element sink_;
  Bus bus_;
  Sample kept_;
  std::chrono::nanoseconds silent_{0};
};

/// GStreamer's time; nullopt where it is none.
inline std::optional<std::chrono::nanoseconds> time_of(GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
  return std::chrono::nanoseconds(time);
}

}  // namespace gradcam::gst
