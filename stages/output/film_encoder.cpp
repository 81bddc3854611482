#include "stages/output/film_encoder.h"

#include <algorithm>
#include <thread>

#include "config/user_error.h"
#include "stages/media/gst_handles.h"

namespace gradcam {
namespace {

/// More threads than this gain nothing at the sizes we see and hold a picture each.
std::string encoder_threads() {
  return std::to_string(std::clamp(std::thread::hardware_concurrency(), 1U, 4U));
}

/// An element may be installed without the device it needs: only starting it tells.
bool can_start(const std::string& element) {
  GstElement* raw = gst_element_factory_make(element.c_str(), nullptr);
  if (raw == nullptr) return false;
  const gst::Pipeline encoder(GST_ELEMENT(gst_object_ref_sink(raw)));
  return gst_element_set_state(encoder.get(), GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
}

}  // namespace

std::vector<FilmEncoder> known_film_encoders(int key_frame_distance) {
  const std::string keys = std::to_string(key_frame_distance);
  const std::string threads = encoder_threads();
  const std::vector<PixelFormat> i420 = {PixelFormat::kI420};
  const std::vector<PixelFormat> nv12 = {PixelFormat::kNv12};
  const std::vector<PixelFormat> either = {PixelFormat::kI420, PixelFormat::kNv12};
  return {
      {"nvh264enc", "bframes=0 gop-size=" + keys, nv12, "h264parse"},
      {"vah264enc", "b-frames=0 key-int-max=" + keys, nv12, "h264parse"},
      {"v4l2h264enc", "", either, "h264parse"},
      // Constant quality; without vbv-buf-capacity=0 the default bitrate would cap it. Superfast
      // looks as good as veryfast for two thirds of its time, and does not look ahead: less is
      // lost when the process is killed.
      {"x264enc",
       "pass=qual quantizer=21 vbv-buf-capacity=0 speed-preset=superfast bframes=0 key-int-max=" +
           keys + " threads=" + threads,
       either, "h264parse"},
      {"openh264enc",
       "rate-control=quality bitrate=8000000 enable-frame-skip=false gop-size=" + keys +
           " multi-thread=" + threads,
       i420, "h264parse"},
      {"vp8enc",
       "deadline=1 cpu-used=8 end-usage=cq cq-level=10 target-bitrate=8000000 lag-in-frames=0 "
       "keyframe-max-dist=" +
           keys + " threads=" + threads,
       i420, "", false},
      {"jpegenc", "quality=92", i420, "", false},
  };
}

FilmEncoder choose_film_encoder(const std::string& extension, int key_frame_distance) {
  gst::start_library();
  const bool mp4 = extension == ".mp4";
  for (const FilmEncoder& encoder : known_film_encoders(key_frame_distance)) {
    if ((!mp4 || encoder.fits_mp4) && can_start(encoder.element)) return encoder;
  }
  throw UserError(ExitCode::kOutput, "no encoder for " + extension +
                                         " films: install gstreamer1.0-plugins-ugly (x264enc) or "
                                         "gstreamer1.0-plugins-bad (openh264enc)");
}

}  // namespace gradcam
