#pragma once

#include <filesystem>
#include <string>

#include "stages/capture/gst_handles.h"
#include "stages/capture/source.h"
#include "stages/capture/stream_time.h"

namespace gradcam {

/// A film file through GStreamer: every frame, time stamps as the container has them (edit lists
/// and reordering obeyed), upright (rotation obeyed), fields of interlaced film joined.
class GstSource : public Source {
 public:
  /// Returns once the first picture is decoded. Throws UserError(kSource).
  GstSource(const std::filesystem::path& path, const InputOptions& options);
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  /// Waits until the pipeline stands at its first picture, or throws why it cannot.
  void wait_for_preroll();
  void seek(std::chrono::nanoseconds start, std::chrono::nanoseconds stop);
  void pull_first(std::chrono::nanoseconds start);
  void fill_info(const InputOptions& options);
  Captured to_captured(GstSample* sample);
  Capture at_end();
  void throw_if_failed();
  [[noreturn]] void fail(const std::string& why) const;

  SourceInfo info_;
  gst::Pipeline pipeline_;
  gst::Element sink_;
  gst::Bus bus_;
  gst::Sample first_;           ///< decoded by the constructor, not yet handed out
  std::string missing_plugin_;  ///< the decoder that this machine lacks
  bool use_stream_time_ = false;
  PtsCleaner cleaner_{std::chrono::nanoseconds(0)};
  std::chrono::nanoseconds reached_{0};  ///< end of the last frame
  std::chrono::nanoseconds end_{0};      ///< where the part that was asked for should end
  std::chrono::nanoseconds silent_{0};   ///< waited in vain since the last frame
};

}  // namespace gradcam
