#include "stages/capture/gst_picture.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "stages/capture/yuv.h"
#include "stages/media/gst_handles.h"

namespace gradcam::gst {
namespace {

/// From the format's own words: GStreamer takes all of them for untold where one of them is.
YuvCoding coding_of(const GstCaps* caps) {
  YuvCoding coding;
  GstVideoColorimetry told{};
  const char* const text = gst_structure_get_string(gst_caps_get_structure(caps, 0), "colorimetry");
  if (text == nullptr || gst_video_colorimetry_from_string(&told, text) == FALSE) return coding;
  if (told.range == GST_VIDEO_COLOR_RANGE_0_255) coding = kFullRange;
  gst_video_color_matrix_get_Kr_Kb(told.matrix, &coding.kr, &coding.kb);
  return coding;
}

cv::Mat to_bgr(const GstVideoFrame& frame, const GstCaps* caps) {
  const int width = GST_VIDEO_FRAME_WIDTH(&frame);
  const int height = GST_VIDEO_FRAME_HEIGHT(&frame);
  const GstVideoFormatInfo* const format = frame.info.finfo;
  if (GST_VIDEO_FORMAT_INFO_IS_YUV(format)) {
    PlanarYuv picture{width, height, static_cast<int>(GST_VIDEO_FORMAT_INFO_W_SUB(format, 1)),
                      static_cast<int>(GST_VIDEO_FORMAT_INFO_H_SUB(format, 1))};
    for (int i = 0; i < 3; ++i) {
      picture.planes[i] = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, i));
      picture.strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, i);
    }
    return yuv_to_bgr(picture, coding_of(caps));
  }
  const bool grey = GST_VIDEO_FORMAT_INFO_IS_GRAY(format) != FALSE;
  const cv::Mat stored(height, width, grey ? CV_8UC1 : CV_8UC4,
                       GST_VIDEO_FRAME_PLANE_DATA(&frame, 0),
                       static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0)));
  cv::Mat bgr;
  cv::cvtColor(stored, bgr, grey ? cv::COLOR_GRAY2BGR : cv::COLOR_BGRA2BGR);
  return bgr;
}

}  // namespace

void set_converter_threads(GstElement* pipeline) {
  const Element convert(gst_bin_get_by_name(GST_BIN(pipeline), "convert"));
  g_object_set(convert.get(), "n-threads", std::clamp(std::thread::hardware_concurrency(), 1U, 4U),
               nullptr);
}

cv::Mat picture_of(GstSample* sample) {
  GstVideoInfo video;
  GstVideoFrame frame;
  if (gst_video_info_from_caps(&video, gst_sample_get_caps(sample)) == FALSE ||
      gst_video_frame_map(&frame, &video, gst_sample_get_buffer(sample), GST_MAP_READ) == FALSE) {
    return {};
  }
  cv::Mat picture = to_bgr(frame, gst_sample_get_caps(sample));
  gst_video_frame_unmap(&frame);
  return picture;
}

double rate_of(const GstVideoInfo& video) {
  constexpr double kHighest = 1000;
  if (video.fps_n <= 0 || video.fps_d <= 0) return 0;
  const double rate = static_cast<double>(video.fps_n) / video.fps_d;
  return rate <= kHighest ? rate : 0;
}

}  // namespace gradcam::gst
