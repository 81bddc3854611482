#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace gradcam {

/// Writes a whole file beside `path` and renames it, so that `path` is never seen half written. A
/// device is written in place.
/// Throws UserError(kOutput) that names the file; then nothing is left behind.
void write_file(const std::filesystem::path& path, std::span<const unsigned char> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace gradcam
