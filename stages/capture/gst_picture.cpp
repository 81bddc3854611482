#include "stages/capture/gst_picture.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "stages/media/gst_handles.h"
#include "stages/picture/convert.h"
#include "stages/picture/picture_pool.h"

namespace gradcam::gst {
namespace {

/// A buffer that is open for reading.
struct Mapped {
  Mapped() = default;
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() {
    if (frame.buffer != nullptr) gst_video_frame_unmap(&frame);
  }
  GstVideoFrame frame{};
};

std::optional<PixelFormat> format_of(GstVideoFormat format) {
  switch (format) {
    case GST_VIDEO_FORMAT_I420:
      return PixelFormat::kI420;
    case GST_VIDEO_FORMAT_NV12:
      return PixelFormat::kNv12;
    case GST_VIDEO_FORMAT_Y42B:
      return PixelFormat::kI422;
    case GST_VIDEO_FORMAT_Y444:
      return PixelFormat::kI444;
    case GST_VIDEO_FORMAT_GRAY8:
      return PixelFormat::kGray;
    case GST_VIDEO_FORMAT_BGRx:
      return PixelFormat::kBgrx;
    default:
      return std::nullopt;
  }
}

ChromaSite site_of(const GstVideoInfo& video) {
  switch (GST_VIDEO_INFO_CHROMA_SITE(&video)) {
    case GST_VIDEO_CHROMA_SITE_JPEG:
      return ChromaSite::kCenter;
    case GST_VIDEO_CHROMA_SITE_MPEG2:
      return ChromaSite::kLeft;
    case GST_VIDEO_CHROMA_SITE_COSITED:
      return ChromaSite::kTopLeft;
    case GST_VIDEO_CHROMA_SITE_V_COSITED:
      return ChromaSite::kTop;
    default:
      return ChromaSite::kUnspecified;
  }
}

/// From the format's own words: GStreamer takes all of them for untold where one of them is.
ColorDescription color_of(const GstCaps* caps, const GstVideoInfo& video) {
  ColorDescription color;
  color.site = site_of(video);
  GstVideoColorimetry told{};
  const char* const text = gst_structure_get_string(gst_caps_get_structure(caps, 0), "colorimetry");
  if (text == nullptr || gst_video_colorimetry_from_string(&told, text) == FALSE) return color;
  color.matrix = static_cast<YuvMatrix>(gst_video_color_matrix_to_iso(told.matrix));
  color.primaries = static_cast<std::uint8_t>(gst_video_color_primaries_to_iso(told.primaries));
  color.transfer = static_cast<std::uint8_t>(gst_video_transfer_function_to_iso(told.transfer));
  if (told.range == GST_VIDEO_COLOR_RANGE_0_255) color.range = ColorRange::kFull;
  if (told.range == GST_VIDEO_COLOR_RANGE_16_235) color.range = ColorRange::kLimited;
  return color;
}

PictureView view_of(const GstVideoFrame& frame, PixelFormat format, const GstCaps* caps) {
  PictureView view{format, GST_VIDEO_FRAME_WIDTH(&frame), GST_VIDEO_FRAME_HEIGHT(&frame)};
  if (format_info(format).yuv) view.color = color_of(caps, frame.info);
  for (int p = 0; p < format_info(format).planes; ++p) {
    const cv::Size size = plane_size(format, view.size(), p);
    view.planes[static_cast<std::size_t>(p)] = {
        static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, p)),
        GST_VIDEO_FRAME_PLANE_STRIDE(&frame, p), size.width, size.height};
  }
  return view;
}

bool is_plain_memory(GstBuffer* buffer) {
  for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
    if (gst_memory_is_type(gst_buffer_peek_memory(buffer, i), GST_ALLOCATOR_SYSMEM) == FALSE) {
      return false;
    }
  }
  return true;
}

}  // namespace

void set_converter_threads(GstElement* pipeline) {
  const Element convert(gst_bin_get_by_name(GST_BIN(pipeline), "convert"));
  g_object_set(convert.get(), "n-threads", std::clamp(std::thread::hardware_concurrency(), 1U, 4U),
               nullptr);
}

Picture picture_of(GstSample* sample) {
  GstVideoInfo video;
  const auto mapped = std::make_shared<Mapped>();
  const GstCaps* const caps = gst_sample_get_caps(sample);
  GstBuffer* const buffer = gst_sample_get_buffer(sample);
  if (gst_video_info_from_caps(&video, caps) == FALSE ||
      gst_video_frame_map(&mapped->frame, &video, buffer, GST_MAP_READ) == FALSE) {
    return {};
  }
  const auto format = format_of(GST_VIDEO_INFO_FORMAT(&video));
  if (!format) return {};
  const PictureView view = view_of(mapped->frame, *format, caps);
  if (is_plain_memory(buffer)) return {view, mapped};
  PictureBuffer copy = picture_pool().take(*format, view.size(), view.color);
  convert(view, copy.planes());
  return std::move(copy).finish();
}

double rate_of(const GstVideoInfo& video) {
  constexpr double kHighest = 1000;
  if (video.fps_n <= 0 || video.fps_d <= 0) return 0;
  const double rate = static_cast<double>(video.fps_n) / video.fps_d;
  return rate <= kHighest ? rate : 0;
}

}  // namespace gradcam::gst
