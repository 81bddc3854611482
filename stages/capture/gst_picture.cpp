#include "stages/capture/gst_picture.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "stages/capture/yuv.h"
#include "stages/media/gst_handles.h"

namespace gradcam::gst {
namespace {

YuvCoding coding_of(const GstVideoInfo& video) {
  YuvCoding coding;
  gst_video_color_matrix_get_Kr_Kb(video.colorimetry.matrix, &coding.kr, &coding.kb);
  gint offset[GST_VIDEO_MAX_COMPONENTS];
  gint scale[GST_VIDEO_MAX_COMPONENTS];
  gst_video_color_range_offsets(video.colorimetry.range, video.finfo, offset, scale);
  coding.luma_offset = offset[0];
  coding.luma_scale = scale[0];
  coding.chroma_scale = scale[1];
  return coding;
}

cv::Mat to_bgr(const GstVideoFrame& frame) {
  const int width = GST_VIDEO_FRAME_WIDTH(&frame);
  const int height = GST_VIDEO_FRAME_HEIGHT(&frame);
  if (GST_VIDEO_FRAME_FORMAT(&frame) == GST_VIDEO_FORMAT_I420) {
    I420 picture{width, height};
    for (int i = 0; i < 3; ++i) {
      picture.planes[i] = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, i));
      picture.strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, i);
    }
    return i420_to_bgr(picture, coding_of(frame.info));
  }
  const cv::Mat bgrx(height, width, CV_8UC4, GST_VIDEO_FRAME_PLANE_DATA(&frame, 0),
                     static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0)));
  cv::Mat bgr;
  cv::cvtColor(bgrx, bgr, cv::COLOR_BGRA2BGR);
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
  cv::Mat picture = to_bgr(frame);
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
