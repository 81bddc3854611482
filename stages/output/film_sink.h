#pragma once

#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <string>

#include "stages/output/sink.h"

/// Films: what opens one, and what all that write them share.
namespace gradcam {

/// A film (.mp4 .mkv) through the writer that this build has: GStreamer, or OpenCV's videoio
/// without it. CMake decides which. Throws UserError(kOutput).
std::unique_ptr<Sink> open_film_sink(const std::filesystem::path& path, const SourceInfo& source,
                                     bool overwrite);

/// The size of a film whose first picture has this size: even, as 4:2:0 colour needs it.
cv::Size film_size(cv::Size picture);

/// A sentence on what film_size() added to pictures of this size; empty if that is nothing.
std::string film_size_note(const std::filesystem::path& path, cv::Size picture);

/// `picture` (BGR u8) as it goes into a film of that size: as it is where the sizes are equal.
/// Where it is one pixel short (an odd size), its last row or column is doubled, so that nothing is
/// cut off. Any other size (a change in mid-stream) is letterboxed in black.
Image fit_film(const Image& picture, cv::Size film);

}  // namespace gradcam
