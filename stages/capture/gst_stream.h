#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "stages/capture/formats/stream_time.h"
#include "stages/capture/source.h"
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

  /// From now on a picture that nobody has pulled gives way to a newer one.
  void keep_newest();

  /// Waits for a picture and keeps it for the next pull(); nullptr if none came.
  GstSample* peek(std::chrono::nanoseconds timeout);
  Sample pull(std::chrono::nanoseconds timeout);
  bool ended() const;
  /// How long pull() has waited in vain since the last picture.
  std::chrono::nanoseconds silent() const { return silent_; }
  /// Notes that a picture could not be decoded; without a time, that it is due now. Any thread.
  void lose(std::optional<std::chrono::nanoseconds> pts) { lost_.add(pts); }
  /// True: a picture in front of `sample` (nullptr: of the end) could not be decoded. Each is told
  /// once.
  bool take_lost(GstSample* sample);
  /// The first error that nobody has read yet; nullptr if there is none.
  Message error() const;

  /// Size and rate, from the first picture's format; false where that is not understood.
  static bool describe(GstSample* sample, SourceInfo& info);

 private:
  /// Buffer times of the pictures that could not be decoded and were not told yet. Any thread.
  class Lost {
   public:
    void add(std::optional<std::chrono::nanoseconds> pts);
    bool take_before(std::optional<std::chrono::nanoseconds> pts);

   private:
    std::mutex mutex_;
    std::multiset<std::chrono::nanoseconds> pts_;
  };
  static GstBusSyncReply on_message(GstBus* bus, GstMessage* message, gpointer lost);

  Now now_;
  Lost lost_;  ///< outlives the pipeline, whose threads use it
  Pipeline pipeline_;
  Element sink_;
  Bus bus_;
  Sample kept_;
  bool newest_ = false;
  std::chrono::nanoseconds silent_{0};
};

/// The times of a live source: those of its pipeline's clock, counted from the first picture.
class LiveTimes {
 public:
  explicit LiveTimes(double frames_per_second) : cleaner_(frame_duration(frames_per_second)) {}
  /// No pixels where they cannot be read from memory.
  Captured capture(GstSample* sample);

 private:
  PtsCleaner cleaner_;
  std::optional<std::chrono::nanoseconds> begin_;
};

}  // namespace gradcam::gst
