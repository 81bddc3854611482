#include "stages/capture/gst_source.h"

#include <gst/pbutils/missing-plugins.h>

#include <algorithm>
#include <cmath>

#include "config/user_error.h"
#include "stages/capture/container_size.h"
#include "stages/capture/gst_picture.h"

namespace gradcam {
namespace {

using std::chrono::nanoseconds;

constexpr auto kOpenLimit =
    std::chrono::seconds(30);  ///< a start far behind a key frame takes long
constexpr auto kPoll = std::chrono::milliseconds(100);
constexpr auto kStallLimit = std::chrono::seconds(30);

/// Pixels that are not square are made so: networks, PNG and screens know no others.
std::string pipeline_text() {
  return std::string(
             "filesrc name=file ! decodebin name=decoder expose-all-streams=false "
             "caps=video/x-raw(ANY) ! ") +
         gst::kUprightFilm +
         " ! videoscale add-borders=false ! capsfilter caps=video/x-raw,pixel-aspect-ratio=1/1";
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

bool is_clipped(GstSample* sample) {
  GstVideoInfo video;
  const GstBuffer* buffer = gst_sample_get_buffer(sample);
  if (gst_video_info_from_caps(&video, gst_sample_get_caps(sample)) == FALSE) return false;
  const auto whole = static_cast<GstClockTime>(frame_duration(gst::rate_of(video)).count());
  return GST_BUFFER_PTS(buffer) == gst_sample_get_segment(sample)->start &&
         GST_BUFFER_DURATION_IS_VALID(buffer) && GST_BUFFER_DURATION(buffer) < whole - whole / 100;
}

nanoseconds duration_of(GstElement* pipeline) {
  gint64 duration = 0;
  const bool known = gst_element_query_duration(pipeline, GST_FORMAT_TIME, &duration) != FALSE;
  return nanoseconds(known ? std::max<gint64>(duration, 0) : 0);
}

}  // namespace

GstSource::GstSource(const std::filesystem::path& path, const InputOptions& options,
                     std::stop_token stop)
    : opening_stopped_(std::move(stop)) {
  info_.name = path.string();
  info_.files = {path};
  std::string error;
  if (!stream_.build(pipeline_text(), error)) {
    fail("GStreamer lacks a part (gstreamer1.0-plugins-good): " + error);
  }
  const gst::Element file(gst_bin_get_by_name(GST_BIN(stream_.pipeline()), "file"));
  g_object_set(file.get(), "location", path.c_str(), nullptr);

  gst_element_set_state(stream_.pipeline(), GST_STATE_PAUSED);
  wait_for_preroll();
  const nanoseconds duration = duration_of(stream_.pipeline());
  start_ = seconds_to_ns(options.start_s);
  end_ = duration;
  if (options.start_s > 0 || options.duration_s > 0) {
    const nanoseconds end = options.duration_s > 0 ? start_ + seconds_to_ns(options.duration_s)
                                                   : nanoseconds(GST_CLOCK_TIME_NONE);
    seek(start_, end);
    wait_for_preroll();
    if (options.duration_s > 0) end_ = std::min(end_, end);
  }
  gst_element_set_state(stream_.pipeline(), GST_STATE_PLAYING);
  GstSample* const first = first_from(start_);
  if (first == nullptr) {
    throw_if_failed();
    fail(start_ > nanoseconds(0) ? "it holds no picture from " + seconds_text(start_) +
                                       " on (it is " + seconds_text(duration) + " long)"
                                 : "it holds no picture");
  }
  if (duration > nanoseconds(0)) info_.duration = duration;
  use_stream_time_ = has_edit_list(stream_.pipeline());
  fill_info(first, options);
}

GstSample* GstSource::first_from(nanoseconds start) {
  GstSample* const first = wait_for_picture();
  // A frame that began before the start comes with its stamp moved there: not one of the film's.
  if (first == nullptr || start == nanoseconds(0) || !is_clipped(first)) return first;
  stream_.pull(nanoseconds(0));
  return wait_for_picture();
}

/// Null if there is none in time.
GstSample* GstSource::wait_for_picture() {
  const auto deadline = std::chrono::steady_clock::now() + kOpenLimit;
  while (std::chrono::steady_clock::now() < deadline) {
    if (GstSample* const sample = stream_.peek(kPoll)) return sample;
    if (stream_.ended()) return nullptr;
    throw_if_failed();
    if (opening_stopped_.stop_requested()) fail("stopped before its first picture");
  }
  return nullptr;
}

void GstSource::wait_for_preroll() {
  const auto deadline = std::chrono::steady_clock::now() + kOpenLimit;
  const auto types =
      static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ELEMENT);
  while (true) {
    const gst::Message message(gst_bus_timed_pop_filtered(
        stream_.bus(), static_cast<GstClockTime>(nanoseconds(kPoll).count()), types));
    if (opening_stopped_.stop_requested()) fail("stopped before its first picture");
    if (!message && std::chrono::steady_clock::now() < deadline) continue;
    if (!message) fail("no picture could be decoded within 30 s");
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
  if (gst_element_seek(stream_.pipeline(), 1.0, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET,
                       start.count(), bounded ? GST_SEEK_TYPE_SET : GST_SEEK_TYPE_NONE,
                       stop.count()) == FALSE) {
    throw_if_failed();
    fail("its container cannot be searched for a start time");
  }
}

void GstSource::fill_info(GstSample* first, const InputOptions& options) {
  if (!gst::Stream::describe(first, info_)) fail("its picture format is not understood");
  const double length_s = std::chrono::duration<double>(end_).count() - options.start_s;
  if (info_.frames_per_second > 0 && length_s > 0) {
    info_.frames = std::llround(length_s * info_.frames_per_second);
  }
  cleaner_ = PtsCleaner(frame_duration(info_.frames_per_second));
}

Capture GstSource::next(std::chrono::milliseconds timeout) {
  const gst::Sample sample = stream_.pull(timeout);
  if (sample) return to_captured(sample.get());
  throw_if_failed();
  if (stream_.ended() || is_stuck_at_its_end()) return EndOfStream{missing_text()};
  if (stream_.silent() > kStallLimit) fail("no further picture could be decoded within 30 s");
  return NotYet{};
}

/// The container's length is that of its longest stream, and often a guess: only a file that ends
/// before its own structure is cut short.
std::string GstSource::missing_text() const {
  return is_truncated(info_.files[0]) ? cut_short_text(start_, reached_, end_) : "";
}

/// The demuxer of GIF never says that it has come to its end.
bool GstSource::is_stuck_at_its_end() const {
  const bool complete = end_ > nanoseconds(0) && reached_ > nanoseconds(0) &&
                        reached_ + frame_duration(info_.frames_per_second) >= end_;
  return complete && stream_.silent() > std::chrono::seconds(2);
}

Captured GstSource::to_captured(GstSample* sample) {
  GstClockTime time = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
  if (use_stream_time_ && GST_CLOCK_TIME_IS_VALID(time)) {
    time = gst_segment_to_stream_time(gst_sample_get_segment(sample), GST_FORMAT_TIME, time);
  }
  Captured captured = gst::Stream::capture(sample, gst::time_of(time), cleaner_);
  if (captured.image.empty()) fail("a picture could not be read from memory");
  reached_ = captured.pts + captured.duration;
  return captured;
}

void GstSource::throw_if_failed() {
  const gst::Message message = stream_.error();
  if (message) fail(gst::error_text(message.get()));
}

void GstSource::fail(const std::string& why) const {
  throw UserError(ExitCode::kSource,
                  "cannot play film '" + info_.name + "': " + why +
                      (missing_plugin_.empty() ? "" : " (missing: " + missing_plugin_ + ")"));
}

}  // namespace gradcam
