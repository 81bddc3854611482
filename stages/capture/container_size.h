#pragma once

#include <filesystem>

namespace gradcam {

/// Whether a film file ends before its own structure does: a box of mp4, the segment of Matroska or
/// WebM, or the RIFF chunk of AVI that reaches beyond the end of the file. False for what is none
/// of these, or says nothing of its size. Read errors count as whole: the decoder will tell.
bool is_truncated(const std::filesystem::path& film);

}  // namespace gradcam
