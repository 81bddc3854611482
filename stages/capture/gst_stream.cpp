#include "stages/capture/gst_stream.h"

#include <gst/app/gstappsink.h>
#include <gst/video/gstvideodecoder.h>

#include <utility>

#include "stages/capture/gst_picture.h"

namespace gradcam::gst {

using std::chrono::nanoseconds;

namespace {

/// GStreamer's time; nullopt where it is none.
std::optional<nanoseconds> time_of(GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
  return nanoseconds(time);
}

/// Decoders tell by such a message, and by nothing else, that they gave up a picture.
bool is_lost_picture(GstMessage* message) {
  return GST_MESSAGE_TYPE(message) == GST_MESSAGE_QOS &&
         GST_IS_VIDEO_DECODER(GST_MESSAGE_SRC(message));
}

std::optional<nanoseconds> time_of_lost(GstMessage* message) {
  GstClockTime pts = GST_CLOCK_TIME_NONE;
  gst_message_parse_qos(message, nullptr, nullptr, nullptr, &pts, nullptr);
  return time_of(pts);
}

}  // namespace

/// Nobody reads the other messages, and an endless stream posts one with each lost picture.
GstBusSyncReply Stream::on_message(GstBus* /*bus*/, GstMessage* message, gpointer lost) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) return GST_BUS_PASS;
  if (is_lost_picture(message)) static_cast<Lost*>(lost)->add(time_of_lost(message));
  gst_message_unref(message);
  return GST_BUS_DROP;
}

void Stream::Lost::add(std::optional<nanoseconds> pts) {
  constexpr std::size_t kMost = 100000;  // nobody takes them from some sources
  const std::lock_guard lock(mutex_);
  if (pts_.size() < kMost) pts_.insert(pts.value_or(nanoseconds(0)));
}

bool Stream::Lost::take_before(std::optional<nanoseconds> pts) {
  const std::lock_guard lock(mutex_);
  if (pts_.empty() || (pts && *pts_.begin() > *pts)) return false;
  pts_.erase(pts_.begin());
  return true;
}

bool Stream::take_lost(GstSample* sample) {
  if (sample == nullptr) return lost_.take_before(std::nullopt);
  return lost_.take_before(time_of(GST_BUFFER_PTS(gst_sample_get_buffer(sample))));
}

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
  gst_bus_set_sync_handler(bus_.get(), on_message, &lost_, nullptr);
  return true;
}

void Stream::keep_newest() {
  newest_ = true;
  g_object_set(sink_.get(), "drop", TRUE, "max-buffers", 1, nullptr);
}

GstSample* Stream::peek(nanoseconds timeout) {
  if (!kept_) kept_ = pull(timeout);
  if (kept_ && newest_) {
    Sample newer(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), 0));
    if (newer) kept_ = std::move(newer);
  }
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

Captured LiveTimes::capture(GstSample* sample) {
  GstBuffer* const buffer = gst_sample_get_buffer(sample);
  GstClockTime time = GST_BUFFER_PTS(buffer);
  if (GST_CLOCK_TIME_IS_VALID(time)) {
    time = gst_segment_to_running_time(gst_sample_get_segment(sample), GST_FORMAT_TIME, time);
  }
  std::optional<nanoseconds> pts = time_of(time);
  if (pts && !begin_) begin_ = pts;
  if (pts) *pts -= *begin_;
  Captured captured;
  captured.image = picture_of(sample);
  if (captured.image.empty()) return captured;
  captured.pts = cleaner_.clean(pts);
  captured.damaged = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED) != FALSE;
  captured.duration = time_of(GST_BUFFER_DURATION(buffer)).value_or(nanoseconds(0));
  return captured;
}

}  // namespace gradcam::gst
