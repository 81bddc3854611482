#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "stages/capture/source.h"

namespace gradcam {

/// Opens a film file with the reader this build has: GStreamer, or OpenCV's videoio without it.
/// Which one is decided in CMake. Throws UserError(kSource), also when stopped on the way.
std::unique_ptr<Source> open_film_source(const std::filesystem::path& path,
                                         const InputOptions& options,
                                         const std::stop_token& stop = {});

}  // namespace gradcam
