#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/videoio.hpp>
#include <optional>
#include <string>

#include "stages/capture/source.h"
#include "stages/capture/stream_time.h"

namespace gradcam {

/// A film file through OpenCV's FFmpeg reader, for builds without GStreamer: every frame, upright,
/// time stamps as far as that reader knows them.
class OpencvSource : public Source {
 public:
  /// Reads the first picture. Throws UserError(kSource).
  OpencvSource(const std::filesystem::path& path, const InputOptions& options);
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  /// Goes to the next frame of the film; false at its end. `pts_` is then that frame's.
  bool grab();
  /// The present frame upright; empty if it cannot be decoded.
  cv::Mat retrieve();

  SourceInfo info_;
  cv::VideoCapture film_;
  std::optional<cv::RotateFlags> rotation_;
  PtsCleaner cleaner_{std::chrono::nanoseconds(0)};
  std::chrono::nanoseconds pts_{0};
  std::chrono::nanoseconds start_{0};
  std::chrono::nanoseconds stop_{0};  ///< frames from here on are left out
  bool grabbed_ = false;              ///< the present frame has not been handed out yet
  bool first_ = true;
};

}  // namespace gradcam
