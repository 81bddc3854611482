#pragma once

#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "stages/output/sink.h"
#include "stages/picture/picture.h"

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

/// How a film holds its pictures: 8 bits, 4:2:0.
struct FilmForm {
  PixelFormat format = PixelFormat::kI420;
  cv::Size size;
  ColorDescription color;
};

/// The form of a film that begins with this picture, for an encoder that takes these formats, the
/// preferred one first. It codes colours as the picture does: what a film does not tell is taken
/// for what its reader took it for (BT.601, limited range). Pictures in BGR that are of no film are
/// coded as GStreamer's rule has it: above 576 lines BT.709, else BT.601, of limited range.
FilmForm film_form(const Picture& first, const std::vector<PixelFormat>& formats);

/// The picture as it goes into the film: as it is where it has the film's form. Where it is one
/// pixel short (an odd size), its last row or column is doubled, so that nothing is cut off. Any
/// other size (a change in mid-stream) is letterboxed in black.
Picture fit_film(const Picture& picture, const FilmForm& film);
/// The same in BGR u8.
cv::Mat fit_film(const cv::Mat& picture, cv::Size film);

}  // namespace gradcam
