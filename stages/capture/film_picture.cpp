#include "stages/capture/film_picture.h"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <thread>

namespace gradcam {
namespace {

/// Keeps the upper field: the lines of the other one become the mean of their neighbours.
void join_fields(AVFrame& frame) {
  constexpr std::uint64_t kOther =
      AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_FLOAT;
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixFmtDescriptor* const layout = av_pix_fmt_desc_get(format);
  if ((layout->flags & kOther) != 0 || av_frame_make_writable(&frame) < 0) return;
  const int bytes = layout->comp[0].depth > 8 ? 2 : 1;
  for (int plane = 0; plane < av_pix_fmt_count_planes(format); ++plane) {
    const bool chroma = plane == 1 || plane == 2;
    const int rows = chroma ? AV_CEIL_RSHIFT(frame.height, layout->log2_chroma_h) : frame.height;
    const int samples = av_image_get_linesize(format, frame.width, plane) / bytes;
    const cv::Mat lines(rows, samples, bytes == 2 ? CV_16U : CV_8U, frame.data[plane],
                        static_cast<std::size_t>(frame.linesize[plane]));
    for (int y = 1; y < rows; y += 2) {
      cv::Mat line = lines.row(y);
      cv::addWeighted(lines.row(y - 1), 0.5, lines.row(std::min(y + 1, (rows - 1) / 2 * 2)), 0.5, 0,
                      line);
    }
  }
}

/// What the formula of yuv.h reads as it is: three planes of bytes.
bool is_planar_yuv(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUV444P:
    case AV_PIX_FMT_YUVJ444P:
      return true;
    default:
      return false;
  }
}

bool is_full_range(const AVFrame& frame) {
  if (frame.color_range != AVCOL_RANGE_UNSPECIFIED) return frame.color_range == AVCOL_RANGE_JPEG;
  return frame.format == AV_PIX_FMT_YUVJ420P || frame.format == AV_PIX_FMT_YUVJ422P ||
         frame.format == AV_PIX_FMT_YUVJ444P;
}

YuvCoding coding_of(const AVFrame& frame) {
  YuvCoding coding = is_full_range(frame) ? kFullRange : YuvCoding{};
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709:
      return with_weights(coding, 0.2126, 0.0722);
    case AVCOL_SPC_FCC:
      return with_weights(coding, 0.30, 0.11);
    case AVCOL_SPC_SMPTE240M:
      return with_weights(coding, 0.212, 0.087);
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return with_weights(coding, 0.2627, 0.0593);
    default:
      return coding;
  }
}

cv::Mat from_planes(const AVFrame& frame) {
  const auto* const layout = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  PlanarYuv picture{frame.width, frame.height, layout->log2_chroma_w, layout->log2_chroma_h};
  for (int i = 0; i < 3; ++i) {
    picture.planes[i] = frame.data[i];
    picture.strides[i] = frame.linesize[i];
  }
  return yuv_to_bgr(picture, coding_of(frame));
}

void require(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + av::error_text(result));
}

}  // namespace

Turn turn_of(const std::int32_t* matrix) {
  if (matrix == nullptr) return {};
  // A point goes to (a x + c y, b x + d y).
  const double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  const bool transposed = std::abs(b) + std::abs(c) > std::abs(a) + std::abs(d);
  return transposed ? Turn{true, c < 0, b < 0} : Turn{false, a < 0, d < 0};
}

Turn FilmPicture::turn_of_frame(const AVFrame& frame) const {
  const AVFrameSideData* const own = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  const std::uint8_t* const matrix =
      own != nullptr ? own->data
                     : av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, nullptr);
  return turn_of(reinterpret_cast<const std::int32_t*>(matrix));
}

cv::Mat FilmPicture::of(AVFrame& frame) {
  if (frame.interlaced_frame != 0) join_fields(frame);
  const Turn turn = turn_of_frame(frame);
  const double shape = av::to_double(av_guess_sample_aspect_ratio(file_, stream_, &frame));
  const bool planar = is_planar_yuv(static_cast<AVPixelFormat>(frame.format));
  cv::Mat upright = turned(planar ? from_planes(frame) : converted(frame), turn);
  if (shape <= 0 || shape == 1) return upright;
  const double across = turn.transposed ? 1 / shape : shape;
  const int width = std::max(1, static_cast<int>(std::lround(upright.cols * across)));
  cv::Mat square;
  cv::resize(upright, square, {width, upright.rows}, 0, 0, cv::INTER_LINEAR);
  return square;
}

/// As the filter `scale` of FFmpeg sets it.
void FilmPicture::prepare_converter(const AVFrame& frame) {
  const int matrix = frame.colorspace == AVCOL_SPC_UNSPECIFIED || frame.colorspace < 1 ||
                             frame.colorspace > AVCOL_SPC_BT2020_CL ||
                             frame.colorspace == AVCOL_SPC_YCGCO
                         ? SWS_CS_DEFAULT
                         : frame.colorspace;
  if (converter_ && width_ == frame.width && height_ == frame.height && format_ == frame.format &&
      range_ == frame.color_range && matrix_ == matrix) {
    return;
  }
  width_ = frame.width;
  height_ = frame.height;
  format_ = frame.format;
  range_ = frame.color_range;
  matrix_ = matrix;
  // Memory of FFmpeg's own: its code writes behind the rows.
  bgr_.reset(av_frame_alloc());
  bgr_->width = width_;
  bgr_->height = height_;
  bgr_->format = AV_PIX_FMT_BGR24;
  require(av_frame_get_buffer(bgr_.get(), 0), "memory");
  converter_.reset(sws_alloc_context());
  const std::int64_t threads = std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
  const std::pair<const char*, std::int64_t> settings[] = {
      {"srcw", width_},     {"srch", height_},         {"src_format", format_},
      {"dstw", width_},     {"dsth", height_},         {"dst_format", AV_PIX_FMT_BGR24},
      {"threads", threads}, {"sws_flags", SWS_BICUBIC}};
  for (const auto& [name, value] : settings) av_opt_set_int(converter_.get(), name, value, 0);
  require(sws_init_context(converter_.get(), nullptr, nullptr), "its picture format");
  int *inverse = nullptr, *table = nullptr;
  int full = 0, out_full = 0, brightness = 0, contrast = 0, saturation = 0;
  // Fails for what has no such details, as RGB.
  if (sws_getColorspaceDetails(converter_.get(), &inverse, &full, &table, &out_full, &brightness,
                               &contrast, &saturation) < 0) {
    return;
  }
  if (range_ != AVCOL_RANGE_UNSPECIFIED) full = static_cast<int>(range_ == AVCOL_RANGE_JPEG);
  sws_setColorspaceDetails(converter_.get(), sws_getCoefficients(matrix), full, table, out_full,
                           brightness, contrast, saturation);
}

cv::Mat FilmPicture::converted(AVFrame& frame) {
  prepare_converter(frame);
  require(sws_scale_frame(converter_.get(), bgr_.get(), &frame), "its picture format");
  return cv::Mat(frame.height, frame.width, CV_8UC3, bgr_->data[0],
                 static_cast<std::size_t>(bgr_->linesize[0]))
      .clone();
}

}  // namespace gradcam
