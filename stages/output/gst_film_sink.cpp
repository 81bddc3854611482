#include "stages/output/gst_film_sink.h"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cmath>

#include "config/user_error.h"
#include "stages/output/output_path.h"

namespace gradcam {
namespace {

using std::chrono::nanoseconds;

constexpr int kQueuedFrames = 3;
constexpr auto kStallLimit = std::chrono::seconds(30);
constexpr auto kFinishLimit = std::chrono::seconds(10);

constexpr const char* kMp4 =
    "mp4mux fragment-duration=500 fragment-mode=first-moov-then-finalise movie-timescale=1000000 "
    "trak-timescale=";

int key_frame_distance(double frames_per_second) {
  return std::clamp(static_cast<int>(std::lround(frames_per_second)), 10, 120);
}

/// Only a hint to the encoder, but the last frame takes its length from it: players leave out a
/// frame without length. So a rate is named also where none is known.
std::string rate_text(double frames_per_second) {
  constexpr double kFallbackRate = 25;
  int numerator = 0;
  int denominator = 1;
  gst_util_double_to_fraction(frames_per_second > 0 ? frames_per_second : kFallbackRate, &numerator,
                              &denominator);
  return std::to_string(numerator) + "/" + std::to_string(denominator);
}

/// Ticks per second of an mp4 track: the clock of MPEG, or a little more, so that frames of the
/// rate fall on ticks; others are 6 us off at most. The 32 bits that mp4 has for a frame's or a
/// track's length hold about 10 hours of it. (144 MHz, a multiple of all usual clocks, overflows
/// after 29 s.)
int ticks_per_second(double frames_per_second) {
  constexpr int kMpegClock = 90000;
  int numerator = 0;
  int denominator = 1;
  gst_util_double_to_fraction(frames_per_second, &numerator, &denominator);
  if (numerator <= 0 || numerator > kMpegClock) return kMpegClock;
  return (kMpegClock + numerator - 1) / numerator * numerator;
}

GstVideoFormat gst_format(PixelFormat format) {
  return gst_video_format_from_string(format_info(format).name);
}

std::string colorimetry_text(const ColorDescription& color) {
  GstVideoColorimetry told{};
  told.range =
      color.range == ColorRange::kFull ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
  told.matrix = gst_video_color_matrix_from_iso(static_cast<guint>(color.matrix));
  told.transfer = gst_video_transfer_function_from_iso(color.transfer);
  told.primaries = gst_video_color_primaries_from_iso(color.primaries);
  const gst::Text text(gst_video_colorimetry_to_string(&told));
  return text.get();
}

std::string site_text(ChromaSite site) {
  switch (site) {
    case ChromaSite::kLeft:
      return ",chroma-site=(string)mpeg2";
    case ChromaSite::kCenter:
      return ",chroma-site=(string)jpeg";
    case ChromaSite::kTopLeft:
      return ",chroma-site=(string)cosited";
    case ChromaSite::kTop:
      return ",chroma-site=(string)v-cosited";
    case ChromaSite::kUnspecified:
      break;
  }
  return "";
}

std::string caps_text(const FilmForm& form, double frames_per_second) {
  return std::string("video/x-raw,format=(string)") + format_info(form.format).name +
         ",width=" + std::to_string(form.size.width) +
         ",height=" + std::to_string(form.size.height) +
         ",framerate=" + rate_text(frames_per_second) +
         ",interlace-mode=(string)progressive,pixel-aspect-ratio=1/1,colorimetry=(string)" +
         colorimetry_text(form.color) + site_text(form.color.site);
}

/// The planes without a copy: each keeps the picture, which nobody writes any more.
GstBuffer* wrap(const Picture& picture) {
  GstBuffer* const buffer = gst_buffer_new();
  const FormatInfo& info = format_info(picture.format());
  gsize offsets[GST_VIDEO_MAX_PLANES] = {};
  gint strides[GST_VIDEO_MAX_PLANES] = {};
  gsize end = 0;
  for (int p = 0; p < info.planes; ++p) {
    const Plane& plane = picture.planes().planes[static_cast<std::size_t>(p)];
    const int row_bytes = plane.width * info.bytes[static_cast<std::size_t>(p)];
    const auto bytes = static_cast<gsize>(plane.stride * (plane.height - 1) + row_bytes);
    // GStreamer does not write what is read-only.
    gst_buffer_append_memory(
        buffer,
        gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, const_cast<std::uint8_t*>(plane.data),
                               bytes, 0, bytes, new Picture(picture),
                               [](gpointer held) { delete static_cast<Picture*>(held); }));
    offsets[p] = end;
    strides[p] = static_cast<gint>(plane.stride);
    end += bytes;
  }
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, gst_format(picture.format()),
                                 static_cast<guint>(picture.width()),
                                 static_cast<guint>(picture.height()),
                                 static_cast<guint>(info.planes), offsets, strides);
  return buffer;
}

}  // namespace

void GstFilmSink::Queue::add() {
  const std::lock_guard lock(mutex_);
  ++waiting_;
}

void GstFilmSink::Queue::take() {
  {
    const std::lock_guard lock(mutex_);
    --waiting_;
  }
  taken_.notify_one();
}

bool GstFilmSink::Queue::wait_for_room(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return taken_.wait_for(lock, limit, [this] { return waiting_ < kQueuedFrames; });
}

GstFilmSink::GstFilmSink(const std::filesystem::path& path, const SourceInfo& source,
                         bool overwrite)
    : GstFilmSink(path, source, overwrite,
                  choose_film_encoder(lower_extension(path),
                                      key_frame_distance(source.frames_per_second))) {}

GstFilmSink::GstFilmSink(std::filesystem::path path, const SourceInfo& source, bool overwrite,
                         FilmEncoder encoder)
    : path_(std::move(path)),
      frames_per_second_(source.frames_per_second),
      begin_(source.begin),
      encoder_(std::move(encoder)) {
  gst::start_library();
  require_new_file(path_, overwrite);
}

std::string GstFilmSink::description() const {
  const std::string mp4 = kMp4 + std::to_string(ticks_per_second(frames_per_second_));
  const std::string container = lower_extension(path_) == ".mp4" ? mp4 : "matroskamux";
  return "appsrc name=input format=time max-buffers=0 max-bytes=0 max-time=0 caps=\"" +
         caps_text(form_, frames_per_second_) + "\" ! " + encoder_.element + " " +
         encoder_.settings + (encoder_.parser.empty() ? "" : " ! " + encoder_.parser) + " ! " +
         container + " ! filesink name=file";
}

void GstFilmSink::start(const Picture& first, nanoseconds first_pts) {
  form_ = film_form(first, encoder_.formats);
  note_ = film_size_note(path_, first.size());
  if (first_pts < nanoseconds(0) || begin_ > nanoseconds(0)) shift_ = first_pts;
  GError* error = nullptr;
  gst::Pipeline pipeline(
      gst_parse_launch_full(description().c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  if (!pipeline) {
    const gst::Error owned(error);
    fail(std::string("GStreamer lacks a part (gstreamer1.0-plugins-good, -bad): ") +
         owned->message);
  }
  const gst::Element file(gst_bin_get_by_name(GST_BIN(pipeline.get()), "file"));
  g_object_set(file.get(), "location", path_.c_str(), nullptr);
  input_.reset(gst_bin_get_by_name(GST_BIN(pipeline.get()), "input"));
  bus_.reset(gst_element_get_bus(pipeline.get()));
  const gst::Pad pad(gst_element_get_static_pad(input_.get(), "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo*, gpointer queue) {
        static_cast<Queue*>(queue)->take();
        return GST_PAD_PROBE_OK;
      },
      &queue_, nullptr);
  pipeline_ = std::move(pipeline);
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
}

void GstFilmSink::write(const Rendered& rendered) {
  const Frame& frame = rendered.frame();
  if (!pipeline_) start(rendered.picture, frame.pts);
  throw_if_failed();
  constexpr auto kLook = std::chrono::milliseconds(100);
  for (nanoseconds waited{0}; !queue_.wait_for_room(kLook); waited += kLook) {
    throw_if_failed();
    if (waited > kStallLimit) fail("the encoder took no frame for 30 s");
  }
  GstBuffer* buffer = wrap(fit_film(rendered.picture, form_));
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>((frame.pts - shift_).count());
  if (frame.duration > nanoseconds(0)) {
    GST_BUFFER_DURATION(buffer) = static_cast<GstClockTime>(frame.duration.count());
  }
  queue_.add();
  if (gst_app_src_push_buffer(GST_APP_SRC(input_.get()), buffer) != GST_FLOW_OK) {
    throw_if_failed();
    fail("the encoder takes no frames");
  }
}

void GstFilmSink::finish() {
  if (!pipeline_) return;
  gst_app_src_end_of_stream(GST_APP_SRC(input_.get()));
  const auto types = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  const gst::Message message(gst_bus_timed_pop_filtered(
      bus_.get(), static_cast<GstClockTime>(nanoseconds(kFinishLimit).count()), types));
  pipeline_.reset();
  if (!message) fail("it was not complete after 10 s; it ends early");
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) fail(gst::error_text(message.get()));
}

void GstFilmSink::throw_if_failed() {
  const gst::Message message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
  if (message) fail(gst::error_text(message.get()));
}

void GstFilmSink::fail(const std::string& why) const {
  throw UserError(ExitCode::kOutput, "cannot write film '" + path_.string() + "': " + why);
}

std::unique_ptr<Sink> open_film_sink(const std::filesystem::path& path, const SourceInfo& source,
                                     bool overwrite) {
  return std::make_unique<GstFilmSink>(path, source, overwrite);
}

}  // namespace gradcam
