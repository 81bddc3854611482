#include "stages/capture/gst_live_source.h"

#include <gst/app/gstappsink.h>
#include <gst/base/gstbasesrc.h>

#include <utility>

#include "config/redact.h"
#include "config/user_error.h"
#include "stages/capture/gst_picture.h"

namespace gradcam {
namespace {

using std::chrono::nanoseconds;

constexpr auto kOpenLimit = std::chrono::seconds(10);
constexpr auto kSilenceLimit = std::chrono::seconds(5);
constexpr std::chrono::milliseconds kPoll{100};

bool has_property(GstElement* element, const char* name) {
  return g_object_class_find_property(G_OBJECT_GET_CLASS(element), name) != nullptr;
}

/// For the elements that uridecodebin makes itself.
void on_source_setup(GstElement* /*bin*/, GstElement* source, gpointer data) {
  const auto* const launch = static_cast<const GstLaunch*>(data);
  if (!has_property(source, "user-id")) return;
  g_object_set(source, "user-id", launch->user.c_str(), "user-pw", launch->password.c_str(),
               nullptr);
}

bool is_live(GstElement* element) {
  if (GST_IS_BASE_SRC(element)) return gst_base_src_is_live(GST_BASE_SRC(element)) != FALSE;
  const gst::Text factory(gst_object_get_name(GST_OBJECT(gst_element_get_factory(element))));
  return std::string("rtspsrc") == factory.get();
}

/// Whether any part of the pipeline gives pictures at its own pace; known once it plays.
bool has_live_part(GstElement* pipeline) {
  const std::unique_ptr<GstIterator, decltype(&gst_iterator_free)> parts(
      gst_bin_iterate_recurse(GST_BIN(pipeline)), &gst_iterator_free);
  bool live = false;
  GValue item = G_VALUE_INIT;
  while (true) {
    const auto result = gst_iterator_next(parts.get(), &item);
    if (result == GST_ITERATOR_RESYNC) {
      gst_iterator_resync(parts.get());
      continue;
    }
    if (result != GST_ITERATOR_OK) break;
    live = live || is_live(GST_ELEMENT(g_value_get_object(&item)));
    g_value_unset(&item);
  }
  return live;
}

}  // namespace

GstLiveSource::GstLiveSource(GstLaunch launch) : launch_(std::move(launch)) {
  info_.name = launch_.name;
  info_.camera = launch_.camera;
  build();
  set_source();
  start();
}

void GstLiveSource::build() {
  gst::start_library();
  const std::string text = launch_.launch +
                           " ! decodebin ! videoconvert name=convert ! appsink name=sink "
                           "sync=false drop=false max-buffers=3 caps=" +
                           gst::kPictureCaps;
  GError* raw = nullptr;
  pipeline_.reset(gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw));
  const gst::Error error(raw);
  if (!pipeline_) fail(error ? error->message : "GStreamer does not understand it");
  if (!GST_IS_BIN(pipeline_.get())) fail("it is no pipeline");
  gst::set_converter_threads(pipeline_.get());
  sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink"));
  bus_.reset(gst_element_get_bus(pipeline_.get()));
}

void GstLiveSource::set_source() {
  const gst::Element source(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "source"));
  if (!source) return;
  const std::pair<const char*, const std::string&> properties[] = {
      {"device", launch_.device}, {"location", launch_.location}, {"uri", launch_.uri}};
  for (const auto& [name, value] : properties) {
    if (!value.empty()) g_object_set(source.get(), name, value.c_str(), nullptr);
  }
  if (launch_.user.empty()) return;
  if (has_property(source.get(), "user-id")) {
    on_source_setup(nullptr, source.get(), &launch_);
  } else {
    g_signal_connect(source.get(), "source-setup", G_CALLBACK(on_source_setup), &launch_);
  }
}

void GstLiveSource::start() {
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    throw_if_failed();
    fail("it cannot be started");
  }
  wait_for_first();
  info_.live = launch_.camera || has_live_part(pipeline_.get());
  GstVideoInfo video;
  if (gst_video_info_from_caps(&video, gst_sample_get_caps(first_.get())) == FALSE) {
    fail("its picture format is not understood");
  }
  info_.width = video.width;
  info_.height = video.height;
  info_.frames_per_second = gst::rate_of(video);
  cleaner_ = PtsCleaner(frame_duration(info_.frames_per_second));
  if (!info_.live) return;
  first_.reset();  // old by the time that somebody asks
  g_object_set(sink_.get(), "drop", TRUE, "max-buffers", 1, nullptr);
}

void GstLiveSource::wait_for_first() {
  const auto deadline = std::chrono::steady_clock::now() + kOpenLimit;
  while (!first_) {
    first_.reset(gst_app_sink_try_pull_sample(
        GST_APP_SINK(sink_.get()), static_cast<GstClockTime>(nanoseconds(kPoll).count())));
    if (first_) return;
    throw_if_failed();
    if (gst_app_sink_is_eos(GST_APP_SINK(sink_.get())) != FALSE) fail("it holds no picture");
    if (std::chrono::steady_clock::now() > deadline) fail("no picture came within 10 s");
  }
}

Capture GstLiveSource::next(std::chrono::milliseconds timeout) {
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
  if (gst_app_sink_is_eos(GST_APP_SINK(sink_.get())) != FALSE) {
    return EndOfStream{launch_.network && info_.live ? "its server ended the stream" : ""};
  }
  if (info_.live && silent_ > kSilenceLimit) fail("no picture for 5 s");
  return NotYet{};
}

Captured GstLiveSource::to_captured(GstSample* sample) {
  const GstBuffer* const buffer = gst_sample_get_buffer(sample);
  Captured captured;
  captured.image = gst::picture_of(sample);
  if (captured.image.empty()) fail("a picture could not be read from memory");
  std::optional<nanoseconds> pts;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) {
    const GstClockTime time = gst_segment_to_running_time(gst_sample_get_segment(sample),
                                                          GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(time)) pts = nanoseconds(time);
  }
  if (pts && !begin_) begin_ = pts;
  if (pts) *pts -= *begin_;
  captured.pts = cleaner_.clean(pts);
  if (GST_BUFFER_DURATION_IS_VALID(buffer)) {
    captured.duration = nanoseconds(GST_BUFFER_DURATION(buffer));
  }
  return captured;
}

void GstLiveSource::throw_if_failed() {
  const gst::Message message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
  if (!message) return;
  const gst::Text by(gst_object_get_name(GST_MESSAGE_SRC(message.get())));
  fail(gst::error_text(message.get()) + " (" + by.get() + ")");
}

void GstLiveSource::fail(const std::string& why) const {
  throw UserError(ExitCode::kSource,
                  "source " + quoted(launch_.name) + ": " + without_password(why));
}

}  // namespace gradcam
