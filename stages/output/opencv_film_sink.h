#pragma once

#include <filesystem>
#include <opencv2/videoio.hpp>
#include <string>

#include "stages/output/sink.h"

namespace gradcam {

/// A film through OpenCV's FFmpeg writer, for builds without GStreamer: every frame, at the even
/// rate of the source (it cannot take time stamps). The file is playable only once finished.
class OpencvFilmSink : public Sink {
 public:
  OpencvFilmSink(std::filesystem::path path, const SourceInfo& source, bool overwrite);
  void write(const Rendered& frame) override;
  void finish() override;
  std::string note() const override { return note_; }

 private:
  void open(cv::Size picture);

  std::filesystem::path path_;
  double frames_per_second_;
  cv::Size size_;
  std::string note_;
  cv::VideoWriter writer_;
};

}  // namespace gradcam
