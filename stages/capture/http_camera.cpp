#include "stages/capture/http_camera.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "config/redact.h"
#include "config/user_error.h"
#include "stages/capture/gst_launch.h"

namespace gradcam {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kAnswerLimit{10};
constexpr seconds kFirstLimit{30};  ///< some cameras send a picture a minute
constexpr seconds kLeastSilence{5};
constexpr seconds kMostSilence{120};
constexpr std::chrono::milliseconds kPoll{100};

/// Cameras send what each maker holds for multipart/x-mixed-replace: `multipartdemux` reads a part
/// of it, and `decodebin` waits for megabytes before it shows anything.
constexpr const char* kPipeline =
    "souphttpsrc name=source is-live=true retries=0 timeout=0 ! appsink name=bytes sync=false "
    "async=false "
    "appsrc name=pictures is-live=true do-timestamp=true format=time max-bytes=0 max-buffers=3 "
    "caps=image/jpeg ! jpegdec max-errors=-1 ! videoconvert name=convert";

}  // namespace

std::unique_ptr<Source> HttpCamera::open(const std::string& url, const Opening& opening, Now now) {
  std::unique_ptr<HttpCamera> camera(new HttpCamera(url, opening, std::move(now)));
  if (!camera->sends_pictures()) return nullptr;
  camera->wait_for_first();
  return camera;
}

HttpCamera::HttpCamera(const std::string& url, const Opening& opening, Now now)
    : now_(std::move(now)), stop_(opening.stop), stream_(now_) {
  const GstLaunch launch = stream_launch(url);
  info_.name = launch.name;
  info_.live = true;
  std::string error;
  if (!stream_.build(kPipeline, error)) fail(error);
  const gst::Element source(gst_bin_get_by_name(GST_BIN(stream_.pipeline()), "source"));
  g_object_set(source.get(), "location", launch.uri.c_str(), nullptr);
  if (!launch.user.empty()) {
    g_object_set(source.get(), "user-id", launch.user.c_str(), "user-pw", launch.password.c_str(),
                 nullptr);
  }
  if (opening.newest_only) stream_.keep_newest();
  pictures_.connect(stream_.pipeline(), opening.newest_only, [this] { stream_.lose({}); });
  if (gst_element_set_state(stream_.pipeline(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    throw_if_failed();
    fail("it cannot be started");
  }
}

bool HttpCamera::wait_until(const std::function<bool()>& arrived, seconds limit) {
  const Clock::time_point deadline = now_() + limit;
  while (!arrived()) {
    throw_if_failed();
    if (stop_.stop_requested()) fail("stopped before its first picture");
    if (now_() > deadline) return false;
  }
  return true;
}

bool HttpCamera::sends_pictures() {
  const auto answered = [this] {
    if (pictures_.answer() != HttpPictures::Answer::kNone) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return false;
  };
  if (!wait_until(answered, kAnswerLimit)) fail("its server did not answer within 10 s");
  throw_if_failed();  // an error ends the bytes, too
  return pictures_.answer() == HttpPictures::Answer::kPictures;
}

void HttpCamera::wait_for_first() {
  GstSample* first = nullptr;
  const auto arrived = [&] {
    first = stream_.peek(kPoll);
    return first != nullptr || stream_.ended();
  };
  if (!wait_until(arrived, kFirstLimit)) fail("no picture came within 30 s");
  if (first == nullptr) fail("its server ended the stream before the first picture");
  if (!gst::Stream::describe(first, info_)) fail("its picture format is not understood");
}

Capture HttpCamera::next(std::chrono::milliseconds timeout) {
  GstSample* const sample = stream_.peek(timeout);
  if (stream_.take_lost(sample)) return Undecodable{};
  if (sample != nullptr) return to_captured();
  throw_if_failed();
  if (stream_.ended()) return EndOfStream{"its server ended the stream"};
  if (stream_.silent() > silence_limit()) fail("no picture for " + seconds_text(silence_limit()));
  return NotYet{};
}

/// Most cameras go on at about one rate, be it 25 pictures a second or one a minute.
nanoseconds HttpCamera::silence_limit() const {
  if (longest_ == nanoseconds(0)) return kFirstLimit;
  return std::clamp<nanoseconds>(4 * longest_, kLeastSilence, kMostSilence);
}

Captured HttpCamera::to_captured() {
  const gst::Sample sample = stream_.pull(nanoseconds(0));
  Captured captured = times_.capture(sample.get());
  if (captured.image.empty()) fail("a picture could not be read from memory");
  if (last_) longest_ = std::max(longest_, captured.pts - *last_);
  last_ = captured.pts;
  return captured;
}

/// "Internal data stream error" is all that GStreamer says of a connection.
void HttpCamera::throw_if_failed() {
  const gst::Message message = stream_.error();
  if (!message) return;
  GError* raw = nullptr;
  gst_message_parse_error(message.get(), &raw, nullptr);
  const gst::Error error(raw);
  if (g_error_matches(raw, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED) == FALSE) {
    fail(gst::error_text(message.get()));
  }
  fail(pictures_.reached() ? "the connection broke" : "its server cannot be reached");
}

void HttpCamera::fail(const std::string& why) const {
  throw UserError(ExitCode::kSource, "source " + quoted(info_.name) + ": " + without_password(why));
}

}  // namespace gradcam
