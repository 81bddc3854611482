#pragma once

#include <opencv2/core.hpp>

#include "stages/capture/av_handles.h"
#include "stages/capture/pictures/orientation.h"
#include "stages/picture/picture.h"

namespace gradcam {

/// The turn of a display matrix (ISO 14496-12, 9 numbers; null: none); an angle between counts as
/// the nearest right one.
Turn turn_of(const std::int32_t* matrix);

/// The picture turned as said: its planes where their samples stay whole, else as BGR.
Picture turned(const Picture& picture, const Turn& turn);

/// Makes a picture of a decoded frame, as a viewer sees it: fields of interlaced film joined (the
/// first one kept, the lines between made of it), pixels square, upright. 4:2:0, 4:2:2 and 4:4:4
/// stay in the decoder's own memory; 10 bits are rounded to 8; what else there is, and what has to
/// be stretched, becomes BGR u8 without transparency. Colours are those of FFmpeg's own conversion:
/// what the film does not tell is BT.601 and of limited range (grey: full range).
class FilmPicture {
 public:
  /// `stream` and `file` know what the frame itself does not say. May write to the frame.
  FilmPicture(AVFormatContext* file, AVStream* stream) : file_(file), stream_(stream) {}
  /// Throws std::runtime_error where FFmpeg cannot convert it.
  Picture of(AVFrame& frame);

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
