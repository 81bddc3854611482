#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

/// Names of output files, and what can be said of them before anything is written. Everything here
/// throws UserError(kOutput) that names the file.
namespace gradcam {

/// out.mp4 of several streams -> out-0.mp4, out-1.mp4 …; unchanged for a single stream.
std::filesystem::path path_of_stream(const std::filesystem::path& path, int stream, int streams);

/// ".mp4" of Film.MP4
std::string lower_extension(const std::filesystem::path& path);

/// The folder that will hold `path` must exist and be writable.
void require_folder(const std::filesystem::path& path);

/// As require_folder. Besides, `path` must be no folder, and must not exist unless `overwrite`.
void require_new_file(const std::filesystem::path& path, bool overwrite);

/// The name of a numbered series such as out_%05d.png: one %d field, with or without width.
class SeriesName {
 public:
  explicit SeriesName(const std::filesystem::path& pattern);
  std::filesystem::path at(std::int64_t number) const;
  /// The folder must be writable, and hold no file of the series unless `overwrite`.
  void require_new(bool overwrite) const;
  /// Whether a file of this name may be one of the series.
  bool matches(const std::string& name) const;

 private:
  std::filesystem::path folder_;
  std::string before_;
  std::string after_;
  std::size_t width_ = 0;
  char fill_ = ' ';
};

}  // namespace gradcam
