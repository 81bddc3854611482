#include "stages/capture/gst_source.h"

#include <gst/app/gstappsink.h>
#include <gst/pbutils/missing-plugins.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "config/user_error.h"
#include "stages/capture/yuv.h"

namespace gradcam {
namespace {

using std::chrono::nanoseconds;

constexpr auto kOpenLimit = std::chrono::seconds(10);
constexpr auto kStallLimit = std::chrono::seconds(30);

/// Pictures arrive as films hold them (4:2:0) wherever possible: our own conversion is exact and
/// takes half the time. Only `fields=top` keeps the number of frames of interlaced film. The flip
/// comes after the conversion, since it knows few formats.
constexpr const char* kPipeline =
    "filesrc name=file ! decodebin name=decoder expose-all-streams=false caps=video/x-raw(ANY) "
    "! deinterlace mode=auto fields=top ! videoconvert name=convert "
    "! videoflip video-direction=auto "
    "! appsink name=sink sync=false drop=false max-buffers=3 "
    "caps=video/x-raw,format=(string){I420,BGRx}";

void set_converter_threads(GstElement* pipeline) {
  const gst::Element convert(gst_bin_get_by_name(GST_BIN(pipeline), "convert"));
  g_object_set(convert.get(), "n-threads", std::clamp(std::thread::hardware_concurrency(), 1U, 4U),
               nullptr);
}

/// The decoder bin says "missing plug-in" also where there is nothing to decode.
std::string preroll_error_text(GstMessage* message, bool plugin_is_missing) {
  GError* raw = nullptr;
  gst_message_parse_error(message, &raw, nullptr);
  const gst::Error error(raw);
  const bool no_video =
      g_error_matches(error.get(), GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) != FALSE;
  return no_video && !plugin_is_missing ? "it has no video stream" : gst::error_text(message);
}

/// Where the frames of this container carry its own time: in mp4 after the edit list, which only
/// shows in stream time; elsewhere in the buffers, whose stream time may be moved to start at 0.
bool has_edit_list(GstElement* pipeline) {
  const std::unique_ptr<GstIterator, decltype(&gst_iterator_free)> found(
      gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "qtdemux"),
      &gst_iterator_free);
  GValue item = G_VALUE_INIT;
  const bool any = gst_iterator_next(found.get(), &item) == GST_ITERATOR_OK;
  if (any) g_value_unset(&item);
  return any;
}

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

/// 0 where the container tells no rate: demuxers then answer with their clock.
double rate_of(const GstVideoInfo& video) {
  constexpr double kHighest = 1000;
  if (video.fps_n <= 0 || video.fps_d <= 0) return 0;
  const double rate = static_cast<double>(video.fps_n) / video.fps_d;
  return rate <= kHighest ? rate : 0;
}

bool is_clipped(GstSample* sample) {
  GstVideoInfo video;
  const GstBuffer* buffer = gst_sample_get_buffer(sample);
  if (gst_video_info_from_caps(&video, gst_sample_get_caps(sample)) == FALSE) return false;
  const auto whole = static_cast<GstClockTime>(frame_duration(rate_of(video)).count());
  return GST_BUFFER_PTS(buffer) == gst_sample_get_segment(sample)->start &&
         GST_BUFFER_DURATION_IS_VALID(buffer) && GST_BUFFER_DURATION(buffer) < whole - whole / 100;
}

nanoseconds duration_of(GstElement* pipeline) {
  gint64 duration = 0;
  const bool known = gst_element_query_duration(pipeline, GST_FORMAT_TIME, &duration) != FALSE;
  return nanoseconds(known ? std::max<gint64>(duration, 0) : 0);
}

}  // namespace

GstSource::GstSource(const std::filesystem::path& path, const InputOptions& options) {
  info_.name = path.string();
  gst::start_library();
  GError* error = nullptr;
  pipeline_.reset(gst_parse_launch_full(kPipeline, nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  if (!pipeline_) {
    const gst::Error owned(error);
    fail(std::string("GStreamer lacks a part (gstreamer1.0-plugins-good): ") + owned->message);
  }
  const gst::Element file(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "file"));
  g_object_set(file.get(), "location", path.c_str(), nullptr);
  set_converter_threads(pipeline_.get());
  sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink"));
  bus_.reset(gst_element_get_bus(pipeline_.get()));

  gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED);
  wait_for_preroll();
  const nanoseconds duration = duration_of(pipeline_.get());
  const nanoseconds start = seconds_to_ns(options.start_s);
  end_ = duration;
  if (options.start_s > 0 || options.duration_s > 0) {
    const nanoseconds stop = options.duration_s > 0 ? start + seconds_to_ns(options.duration_s)
                                                    : nanoseconds(GST_CLOCK_TIME_NONE);
    seek(start, stop);
    wait_for_preroll();
    if (options.duration_s > 0) end_ = std::min(end_, stop);
  }
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  pull_first(start);
  if (!first_) {
    throw_if_failed();
    fail(start > nanoseconds(0) ? "it holds no picture from " + seconds_text(start) +
                                      " on (it is " + seconds_text(duration) + " long)"
                                : "it holds no picture");
  }
  if (duration > nanoseconds(0)) info_.duration = duration;
  use_stream_time_ = has_edit_list(pipeline_.get());
  fill_info(options);
}

void GstSource::pull_first(nanoseconds start) {
  const auto limit = static_cast<GstClockTime>(nanoseconds(kOpenLimit).count());
  first_.reset(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), limit));
  // A frame that began before the start comes with its stamp moved there: not one of the film's.
  if (first_ && start > nanoseconds(0) && is_clipped(first_.get())) {
    first_.reset(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), limit));
  }
}

void GstSource::wait_for_preroll() {
  const auto deadline = std::chrono::steady_clock::now() + kOpenLimit;
  const auto types =
      static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ELEMENT);
  while (true) {
    const nanoseconds left = deadline - std::chrono::steady_clock::now();
    const gst::Message message(gst_bus_timed_pop_filtered(
        bus_.get(), static_cast<GstClockTime>(std::max<std::int64_t>(left.count(), 0)), types));
    if (!message) fail("no picture could be decoded within 10 s");
    switch (GST_MESSAGE_TYPE(message.get())) {
      case GST_MESSAGE_ASYNC_DONE:
        return;
      case GST_MESSAGE_ERROR:
        fail(preroll_error_text(message.get(), !missing_plugin_.empty()));
      default:
        if (gst_is_missing_plugin_message(message.get()) != FALSE) {
          missing_plugin_ =
              gst::Text(gst_missing_plugin_message_get_description(message.get())).get();
        }
    }
  }
}

void GstSource::seek(nanoseconds start, nanoseconds stop) {
  const auto flags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE);
  const bool bounded = stop != nanoseconds(GST_CLOCK_TIME_NONE);
  if (gst_element_seek(pipeline_.get(), 1.0, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET,
                       start.count(), bounded ? GST_SEEK_TYPE_SET : GST_SEEK_TYPE_NONE,
                       stop.count()) == FALSE) {
    throw_if_failed();
    fail("its container cannot be searched for a start time");
  }
}

void GstSource::fill_info(const InputOptions& options) {
  GstVideoInfo video;
  if (gst_video_info_from_caps(&video, gst_sample_get_caps(first_.get())) == FALSE) {
    fail("its picture format is not understood");
  }
  info_.width = video.width;
  info_.height = video.height;
  info_.frames_per_second = rate_of(video);
  const double length_s = std::chrono::duration<double>(end_).count() - options.start_s;
  if (info_.frames_per_second > 0 && length_s > 0) {
    info_.frames = std::llround(length_s * info_.frames_per_second);
  }
  cleaner_ = PtsCleaner(frame_duration(info_.frames_per_second));
}

Capture GstSource::next(std::chrono::milliseconds timeout) {
  gst::Sample sample = std::move(first_);
  if (!sample) {
    const auto begin = std::chrono::steady_clock::now();
    sample.reset(gst_app_sink_try_pull_sample(
        GST_APP_SINK(sink_.get()), static_cast<GstClockTime>(nanoseconds(timeout).count())));
    silent_ += std::chrono::steady_clock::now() - begin;
  }
  if (sample) {
    silent_ = nanoseconds(0);
    return to_captured(sample.get());
  }
  throw_if_failed();
  if (gst_app_sink_is_eos(GST_APP_SINK(sink_.get())) != FALSE) return at_end();
  if (silent_ > kStallLimit) fail("no further picture could be decoded within 30 s");
  return NotYet{};
}

Captured GstSource::to_captured(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstVideoInfo video;
  GstVideoFrame frame;
  if (gst_video_info_from_caps(&video, gst_sample_get_caps(sample)) == FALSE ||
      gst_video_frame_map(&frame, &video, buffer, GST_MAP_READ) == FALSE) {
    fail("a picture could not be read from memory");
  }
  Captured captured;
  captured.image = to_bgr(frame);
  gst_video_frame_unmap(&frame);

  std::optional<nanoseconds> pts;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) {
    GstClockTime time = GST_BUFFER_PTS(buffer);
    if (use_stream_time_) {
      time = gst_segment_to_stream_time(gst_sample_get_segment(sample), GST_FORMAT_TIME, time);
    }
    if (GST_CLOCK_TIME_IS_VALID(time)) pts = nanoseconds(time);
  }
  captured.pts = cleaner_.clean(pts);
  if (GST_BUFFER_DURATION_IS_VALID(buffer))
    captured.duration = nanoseconds(GST_BUFFER_DURATION(buffer));
  reached_ = captured.pts + captured.duration;
  return captured;
}

Capture GstSource::at_end() { return EndOfStream{cut_short_text(reached_, end_)}; }

void GstSource::throw_if_failed() {
  const gst::Message message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
  if (message) fail(gst::error_text(message.get()));
}

void GstSource::fail(const std::string& why) const {
  throw UserError(ExitCode::kSource,
                  "cannot play film '" + info_.name + "': " + why +
                      (missing_plugin_.empty() ? "" : " (missing: " + missing_plugin_ + ")"));
}

}  // namespace gradcam
