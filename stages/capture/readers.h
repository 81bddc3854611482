#pragma once

#include <memory>
#include <string>

#include "stages/capture/source.h"

/// Cameras and streams through the reader that this build has: GStreamer, or OpenCV's
/// videoio without it. CMake decides which. All throw UserError(kSource).
namespace gradcam {

/// "0", "/dev/video0"
std::unique_ptr<Source> open_camera(const std::string& text, const Opening& opening);
/// rtsp://, rtsps://, http://, https://
std::unique_ptr<Source> open_stream(const std::string& url, const Opening& opening);
/// gst:FRAGMENT
std::unique_ptr<Source> open_fragment(const std::string& text, const Opening& opening);

}  // namespace gradcam
