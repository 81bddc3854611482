#include "stages/capture/gst_stream.h"

#include <gst/app/gstappsink.h>
#include <gst/pbutils/missing-plugins.h>

#include <utility>

#include "stages/capture/gst_picture.h"

namespace gradcam::gst {

using std::chrono::nanoseconds;

namespace {

/// Nobody reads the other messages, and an endless stream posts one with each lost picture.
GstBusSyncReply keep_what_is_read(GstBus* /*bus*/, GstMessage* message, gpointer /*data*/) {
  const bool read = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR ||
                    GST_MESSAGE_TYPE(message) == GST_MESSAGE_ASYNC_DONE ||
                    gst_is_missing_plugin_message(message) != FALSE;
  if (read) return GST_BUS_PASS;
  gst_message_unref(message);
  return GST_BUS_DROP;
}

}  // namespace

bool Stream::build(const std::string& launch, std::string& error) {
  start_library();
  const std::string text =
      launch + " ! appsink name=sink sync=false drop=false max-buffers=3 caps=" + kPictureCaps;
  GError* raw = nullptr;
  pipeline_.reset(gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw));
  const Error owned(raw);
  if (!pipeline_ || !GST_IS_BIN(pipeline_.get())) {
    error = owned ? owned->message : "it is no pipeline";
    return false;
  }
  set_converter_threads(pipeline_.get());
  sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink"));
  bus_.reset(gst_element_get_bus(pipeline_.get()));
  gst_bus_set_sync_handler(bus_.get(), keep_what_is_read, nullptr, nullptr);
  return true;
}

GstSample* Stream::peek(nanoseconds timeout) {
  if (!kept_) kept_ = pull(timeout);
  return kept_.get();
}

Sample Stream::pull(nanoseconds timeout) {
  if (kept_) return std::move(kept_);
  const Clock::time_point begin = now_();
  Sample sample(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()),
                                             static_cast<GstClockTime>(timeout.count())));
  silent_ = sample ? nanoseconds(0) : silent_ + (now_() - begin);
  return sample;
}

bool Stream::ended() const { return gst_app_sink_is_eos(GST_APP_SINK(sink_.get())) != FALSE; }

Message Stream::error() const {
  return Message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
}

bool Stream::describe(GstSample* sample, SourceInfo& info) {
  GstVideoInfo video;
  if (gst_video_info_from_caps(&video, gst_sample_get_caps(sample)) == FALSE) return false;
  info.width = video.width;
  info.height = video.height;
  info.frames_per_second = rate_of(video);
  return true;
}

Captured Stream::capture(GstSample* sample, std::optional<nanoseconds> pts, PtsCleaner& cleaner) {
  Captured captured;
  captured.image = picture_of(sample);
  if (captured.image.empty()) return captured;
  captured.pts = cleaner.clean(pts);
  captured.duration =
      time_of(GST_BUFFER_DURATION(gst_sample_get_buffer(sample))).value_or(nanoseconds(0));
  return captured;
}

}  // namespace gradcam::gst
