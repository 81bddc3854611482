#pragma once

#include <opencv2/core.hpp>

#include "stages/capture/av_handles.h"
#include "stages/capture/pictures/orientation.h"
#include "stages/capture/yuv.h"

namespace gradcam {

/// The turn of a display matrix (ISO 14496-12, 9 numbers; null: none); an angle between counts as
/// the nearest right one.
Turn turn_of(const std::int32_t* matrix);

/// Makes a picture of a decoded frame, as a viewer sees it: fields of interlaced film joined (the
/// first one kept, the lines between made of it), BGR u8 without transparency, pixels square,
/// upright. Colours are those of FFmpeg's own conversion: what the film does not tell is BT.601 and
/// of limited range (grey: full range).
class FilmPicture {
 public:
  /// `stream` and `file` know what the frame itself does not say. May write to the frame.
  FilmPicture(AVFormatContext* file, AVStream* stream) : file_(file), stream_(stream) {}
  /// Throws std::runtime_error where FFmpeg cannot convert it.
  cv::Mat of(AVFrame& frame);

 private:
  cv::Mat converted(AVFrame& frame);
  void prepare_converter(const AVFrame& frame);
  Turn turn_of_frame(const AVFrame& frame) const;

  AVFormatContext* file_;
  AVStream* stream_;
  av::Converter converter_;
  av::Frame bgr_;
  /// What `converter_` was made for.
  int width_ = 0, height_ = 0, format_ = AV_PIX_FMT_NONE, range_ = 0, matrix_ = 0;
};

}  // namespace gradcam
