#include "stages/capture/gst_live_source.h"

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
constexpr auto kStallLimit = std::chrono::seconds(30);
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

GstLiveSource::GstLiveSource(GstLaunch launch, const Opening& opening, Now now)
    : launch_(std::move(launch)), now_(std::move(now)), stream_(now_) {
  info_.name = launch_.name;
  info_.camera = launch_.camera;
  build();
  set_source();
  start(opening);
}

void GstLiveSource::build() {
  std::string error;
  // A film from a web server is one like any other; a camera has neither fields nor rotation.
  const std::string picture = launch_.uri.empty() ? "videoconvert name=convert" : gst::kUprightFilm;
  if (!stream_.build(launch_.launch + " ! decodebin ! " + picture, error)) {
    fail(error);
  }
}

void GstLiveSource::set_source() {
  const gst::Element source(gst_bin_get_by_name(GST_BIN(stream_.pipeline()), "source"));
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

void GstLiveSource::start(const Opening& opening) {
  if (gst_element_set_state(stream_.pipeline(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    throw_if_failed();
    fail("it cannot be started");
  }
  if (!gst::Stream::describe(wait_for_first(opening.stop), info_)) {
    fail("its picture format is not understood");
  }
  info_.live = launch_.camera || has_live_part(stream_.pipeline());
  times_ = gst::LiveTimes(info_.frames_per_second);
  if (!info_.live) return;
  stream_.pull(nanoseconds(0));  // old by the time that somebody asks
  if (opening.newest_only) stream_.keep_newest();
}

GstSample* GstLiveSource::wait_for_first(const std::stop_token& stop) {
  const Clock::time_point deadline = now_() + kOpenLimit;
  while (true) {
    if (GstSample* const first = stream_.peek(kPoll)) return first;
    throw_if_failed();
    if (stream_.ended()) fail("it holds no picture");
    if (stop.stop_requested()) fail("stopped before its first picture");
    if (now_() > deadline) fail("no picture came within 10 s");
  }
}

Capture GstLiveSource::next(std::chrono::milliseconds timeout) {
  GstSample* const sample = stream_.peek(timeout);
  // A camera that is joined in the middle of its stream begins with such pictures.
  if (!info_.live && stream_.take_lost(sample)) return Undecodable{};
  if (sample != nullptr) return to_captured(stream_.pull(nanoseconds(0)).get());
  throw_if_failed();
  if (stream_.ended()) {
    return EndOfStream{launch_.network && info_.live ? "its server ended the stream" : ""};
  }
  if (info_.live && stream_.silent() > kSilenceLimit) fail("no picture for 5 s");
  if (stream_.silent() > kStallLimit) fail("no further picture within 30 s");
  return NotYet{};
}

Captured GstLiveSource::to_captured(GstSample* sample) {
  Captured captured = times_.capture(sample);
  if (info_.live) captured.damaged = false;  // it was joined in the middle of a stream
  if (captured.image.empty()) fail("a picture could not be read from memory");
  return captured;
}

void GstLiveSource::throw_if_failed() {
  const gst::Message message = stream_.error();
  if (!message) return;
  const gst::Text by(gst_object_get_name(GST_MESSAGE_SRC(message.get())));
  fail(gst::error_text(message.get()) + " (" + by.get() + ")");
}

void GstLiveSource::fail(const std::string& why) const {
  throw UserError(ExitCode::kSource,
                  "source " + quoted(launch_.name) + ": " + without_password(why));
}

}  // namespace gradcam
