#pragma once

#include <chrono>
#include <string>

#include "stages/capture/gst_launch.h"
#include "stages/capture/gst_stream.h"
#include "stages/capture/source.h"
#include "stages/frame/clock.h"

namespace gradcam {

/// A camera, a network stream, or any GStreamer fragment. A live one gives only the newest picture
/// unless asked for all. It breaks when no picture comes for five seconds; one that is not live,
/// for thirty. Times begin at 0.
class GstLiveSource : public Source {
 public:
  /// Returns once a picture is there, within ten seconds. Throws UserError(kSource). All limits are
  /// held against `now`.
  GstLiveSource(GstLaunch launch, const Opening& opening, Now now = Clock::now);
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  void build();
  void set_source();
  void start(const Opening& opening);
  GstSample* wait_for_first(const std::stop_token& stop);
  Captured to_captured(GstSample* sample);
  void throw_if_failed();
  [[noreturn]] void fail(const std::string& why) const;

  GstLaunch launch_;
  Now now_;
  SourceInfo info_;
  gst::Stream stream_;
  gst::LiveTimes times_{0};
};

}  // namespace gradcam
