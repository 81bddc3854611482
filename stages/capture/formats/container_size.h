#pragma once

#include <filesystem>

namespace gradcam {

/// Whether a film file ends before its own structure does: a box of mp4, the segment of Matroska or
/// WebM, or the RIFF chunk of AVI that reaches beyond the end of the file. False for
/// other files and for those that do not tell their size. A file that cannot be read counts as
/// whole: the decoder will say what is wrong with it.
bool is_truncated(const std::filesystem::path& film);

}  // namespace gradcam
