#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "stages/capture/gst_stream.h"
#include "stages/capture/source.h"
#include "stages/capture/stream_time.h"

namespace gradcam {

/// A film file through GStreamer: every frame, time stamps as the container has them (edit lists
/// and reordering obeyed), upright (rotation obeyed), fields of interlaced film joined.
class GstSource : public Source {
 public:
  /// Returns once the first picture is decoded. Throws UserError(kSource), also when stopped.
  GstSource(const std::filesystem::path& path, const InputOptions& options,
            std::stop_token stop = {});
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  /// Waits until the pipeline stands at its first picture, or throws why it cannot.
  void wait_for_preroll();
  void seek(std::chrono::nanoseconds start, std::chrono::nanoseconds stop);
  GstSample* first_from(std::chrono::nanoseconds start);
  GstSample* wait_for_picture();
  void fill_info(GstSample* first, const InputOptions& options);
  std::string missing_text() const;
  bool is_stuck_at_its_end() const;
  Captured to_captured(GstSample* sample);
  void throw_if_failed();
  [[noreturn]] void fail(const std::string& why) const;

  const std::stop_token opening_stopped_;
  SourceInfo info_;
  gst::Stream stream_;
  std::string missing_plugin_;  ///< the decoder that this machine lacks
  bool use_stream_time_ = false;
  PtsCleaner cleaner_{std::chrono::nanoseconds(0)};
  std::chrono::nanoseconds start_{0};
  std::chrono::nanoseconds reached_{0};  ///< end of the last frame
  std::chrono::nanoseconds end_{0};      ///< where the part that was asked for should end
};

}  // namespace gradcam
