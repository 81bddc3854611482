#include "stages/capture/gst_launch.h"

#include <cctype>

#include "config/redact.h"

namespace gradcam {
namespace {

/// "%40" is "@".
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
                        std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0;
    result += escape ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)) : text[i];
    if (escape) i += 2;
  }
  return result;
}

/// Takes user:password@ out of `url`.
void take_credentials(std::string& url, GstLaunch& launch) {
  const std::size_t begin = url.find("://") + 3;
  const std::size_t at = credentials_end(url);
  if (at == std::string::npos) return;
  const std::string credentials = url.substr(begin, at - begin);
  const std::size_t colon = credentials.find(':');
  launch.user = unescaped(credentials.substr(0, colon));
  if (colon != std::string::npos) launch.password = unescaped(credentials.substr(colon + 1));
  url.erase(begin, at + 1 - begin);
}

}  // namespace

GstLaunch stream_launch(const std::string& url) {
  GstLaunch launch;
  launch.name = without_password(url);
  launch.network = true;
  std::string location = url;
  take_credentials(location, launch);
  if (url.rfind("rtsp", 0) == 0) {
    launch.launch =
        "rtspsrc name=source protocols=tcp latency=100 drop-on-latency=true "
        "! application/x-rtp,media=video";
    launch.location = location;
  } else {
    launch.launch = "uridecodebin name=source expose-all-streams=false caps=video/x-raw(ANY)";
    launch.uri = location;
  }
  return launch;
}

GstLaunch fragment_launch(const std::string& text) {
  GstLaunch launch;
  launch.name = without_password(text);
  launch.launch = text.substr(std::string("gst:").size());
  return launch;
}

GstLaunch camera_launch(const Camera& camera) {
  GstLaunch launch;
  launch.name = camera.device;
  launch.device = camera.device;
  launch.camera = true;
  launch.launch = "v4l2src name=source";
  if (const auto mode = choose_mode(camera.modes)) {
    launch.launch += std::string(" ! ") + (mode->format == "MJPG" ? "image/jpeg" : "video/x-raw") +
                     ",width=" + std::to_string(mode->width) +
                     ",height=" + std::to_string(mode->height);
  }
  return launch;
}

}  // namespace gradcam
