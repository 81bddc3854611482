#include "stages/capture/gst_live_source.h"
#include "stages/capture/http_camera.h"
#include "stages/capture/readers.h"

namespace gradcam {

std::unique_ptr<Source> open_camera(const std::string& text, const Opening& opening) {
  const Camera camera = find_camera(camera_device(text), list_cameras());
  return std::make_unique<GstLiveSource>(camera_launch(camera), opening);
}

std::unique_ptr<Source> open_stream(const std::string& url, const Opening& opening) {
  if (url.rfind("http", 0) == 0) {
    if (auto camera = HttpCamera::open(url, opening)) return camera;
  }
  return std::make_unique<GstLiveSource>(stream_launch(url), opening);
}

std::unique_ptr<Source> open_fragment(const std::string& text, const Opening& opening) {
  return std::make_unique<GstLiveSource>(fragment_launch(text), opening);
}

}  // namespace gradcam
