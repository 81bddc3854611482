#include "stages/capture/film_picture.h"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "stages/picture/convert.h"
#include "stages/picture/picture_pool.h"
#include "stages/picture/repack.h"

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

/// A format of FFmpeg's whose planes are read as they are.
struct KnownFormat {
  AVPixelFormat id;
  PixelFormat format;
  bool full_range = false;  ///< where the frame itself does not tell
};

constexpr KnownFormat kKnownFormats[] = {{AV_PIX_FMT_YUV420P, PixelFormat::kI420},
                                         {AV_PIX_FMT_YUVJ420P, PixelFormat::kI420, true},
                                         {AV_PIX_FMT_NV12, PixelFormat::kNv12},
                                         {AV_PIX_FMT_YUV422P, PixelFormat::kI422},
                                         {AV_PIX_FMT_YUVJ422P, PixelFormat::kI422, true},
                                         {AV_PIX_FMT_YUV444P, PixelFormat::kI444},
                                         {AV_PIX_FMT_YUVJ444P, PixelFormat::kI444, true},
                                         {AV_PIX_FMT_YUV420P10LE, PixelFormat::kI420P10},
                                         {AV_PIX_FMT_P010LE, PixelFormat::kP010},
                                         {AV_PIX_FMT_YUV422P10LE, PixelFormat::kI422P10},
                                         {AV_PIX_FMT_YUV444P10LE, PixelFormat::kI444P10}};

const KnownFormat* known_format(const AVFrame& frame) {
  const auto* const known = std::find_if(std::begin(kKnownFormats), std::end(kKnownFormats),
                                         [&](const auto& row) { return row.id == frame.format; });
  return known == std::end(kKnownFormats) ? nullptr : known;
}

YuvMatrix matrix_of(const AVFrame& frame) {
  for (const YuvMatrix matrix :
       {YuvMatrix::kBt709, YuvMatrix::kFcc, YuvMatrix::kBt470Bg, YuvMatrix::kBt601,
        YuvMatrix::kSmpte240m, YuvMatrix::kBt2020, YuvMatrix::kBt2020Constant}) {
    if (static_cast<int>(matrix) == static_cast<int>(frame.colorspace)) return matrix;
  }
  return YuvMatrix::kUnspecified;
}

ColorRange range_of(const AVFrame& frame, bool full_range) {
  if (frame.color_range == AVCOL_RANGE_JPEG) return ColorRange::kFull;
  if (frame.color_range == AVCOL_RANGE_MPEG) return ColorRange::kLimited;
  return full_range ? ColorRange::kFull : ColorRange::kUnspecified;
}

ChromaSite site_of(const AVFrame& frame) {
  switch (frame.chroma_location) {
    case AVCHROMA_LOC_LEFT:
      return ChromaSite::kLeft;
    case AVCHROMA_LOC_CENTER:
      return ChromaSite::kCenter;
    case AVCHROMA_LOC_TOPLEFT:
      return ChromaSite::kTopLeft;
    case AVCHROMA_LOC_TOP:
      return ChromaSite::kTop;
    default:
      return ChromaSite::kUnspecified;
  }
}

ColorDescription color_of(const AVFrame& frame, bool full_range) {
  return {matrix_of(frame), range_of(frame, full_range),
          static_cast<std::uint8_t>(frame.color_primaries),
          static_cast<std::uint8_t>(frame.color_trc), site_of(frame)};
}

/// The frame's planes, which the picture keeps; empty where they are not known.
Picture planes_of(const AVFrame& frame) {
  const KnownFormat* const known = known_format(frame);
  if (known == nullptr) return {};
  PictureView view{known->format, frame.width, frame.height, color_of(frame, known->full_range)};
  for (int p = 0; p < format_info(known->format).planes; ++p) {
    if (frame.linesize[p] <= 0) return {};  // some are stored upside down
    const cv::Size size = plane_size(known->format, view.size(), p);
    view.planes[static_cast<std::size_t>(p)] = {frame.data[p], frame.linesize[p], size.width,
                                                size.height};
  }
  const std::shared_ptr<AVFrame> kept(av_frame_clone(&frame), av::Free());
  return kept ? Picture(view, kept) : Picture();
}

/// Rounded to 8 bits, if it has more.
Picture in_8_bits(const Picture& picture) {
  const PixelFormat format = format_of_8_bits(picture.format());
  if (format == picture.format()) return picture;
  PictureBuffer buffer = picture_pool().take(format, picture.size(), picture.color());
  convert(picture.planes(), buffer.planes());
  return std::move(buffer).finish();
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

Picture turned(const Picture& picture, const Turn& turn) {
  if (!turn.transposed && !turn.flipped_x && !turn.flipped_y) return picture;
  const FormatInfo& info = format_info(picture.format());
  const bool whole =
      picture.width() % (1 << info.chroma_x) == 0 && picture.height() % (1 << info.chroma_y) == 0;
  if (!info.yuv || info.bits > 8 || !whole || (turn.transposed && info.chroma_x != info.chroma_y)) {
    return Picture(turned(picture.bgr(), turn), picture.color());
  }
  const auto planes = std::make_shared<std::array<cv::Mat, 3>>();
  PictureView view = picture.planes();
  if (turn.transposed) std::swap(view.width, view.height);
  view.color.site = ChromaSite::kUnspecified;  // it has moved
  for (std::size_t p = 0; p < static_cast<std::size_t>(info.planes); ++p) {
    const Plane& stored = picture.planes().planes[p];
    cv::Mat& plane = planes->at(p);
    plane = turned(
        cv::Mat(stored.height, stored.width, CV_8UC(info.bytes[p]),
                const_cast<std::uint8_t*>(stored.data), static_cast<std::size_t>(stored.stride)),
        turn);
    view.planes[p] = {plane.data, static_cast<std::ptrdiff_t>(plane.step[0]), plane.cols,
                      plane.rows};
  }
  return {view, planes};
}

Picture FilmPicture::of(AVFrame& frame) {
  if (frame.interlaced_frame != 0) join_fields(frame);
  const Turn turn = turn_of_frame(frame);
  const double shape = av::to_double(av_guess_sample_aspect_ratio(file_, stream_, &frame));
  Picture stored = planes_of(frame);
  stored = stored.empty() ? Picture(converted(frame)) : in_8_bits(stored);
  const Picture upright = turned(stored, turn);
  if (shape <= 0 || shape == 1) return upright;
  const double across = turn.transposed ? 1 / shape : shape;
  const int width = std::max(1, static_cast<int>(std::lround(upright.width() * across)));
  cv::Mat square;
  cv::resize(upright.bgr(), square, {width, upright.height()}, 0, 0, cv::INTER_LINEAR);
  return Picture(square, upright.color());
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
