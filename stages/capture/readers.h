#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "stages/capture/source.h"

/// Films, cameras and streams through the reader that this build has: GStreamer, or OpenCV's
/// videoio without it. CMake decides which. All throw UserError(kSource).
namespace gradcam {

/// A film file, from options.start_s on and for options.duration_s. Throws also when stopped before
/// its first picture.
std::unique_ptr<Source> open_film(const std::filesystem::path& path, const InputOptions& options,
                                  const std::stop_token& stop = {});
/// "0", "/dev/video0"
std::unique_ptr<Source> open_camera(const std::string& text, const Opening& opening);
/// rtsp://, rtsps://, http://, https://
std::unique_ptr<Source> open_stream(const std::string& url, const Opening& opening);
/// gst:FRAGMENT
std::unique_ptr<Source> open_fragment(const std::string& text, const Opening& opening);

}  // namespace gradcam
