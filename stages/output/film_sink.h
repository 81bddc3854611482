#pragma once

#include <filesystem>
#include <memory>

#include "stages/output/sink.h"

namespace gradcam {

/// A film (.mp4 .mkv) through the writer this build has: GStreamer, or OpenCV's videoio without it.
/// Which one is decided in CMake. Throws UserError(kOutput).
std::unique_ptr<Sink> open_film_sink(const std::filesystem::path& path, const SourceInfo& source,
                                     bool overwrite);

}  // namespace gradcam
