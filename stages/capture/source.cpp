#include "stages/capture/source.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <utility>

#include "config/redact.h"
#include "config/user_error.h"
#include "stages/capture/edited_source.h"
#include "stages/capture/film_source.h"
#include "stages/capture/images_source.h"
#include "stages/capture/live_source.h"
#include "stages/capture/pattern_source.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSupported =
    "a film or picture file, a folder, a glob pattern, a camera (0, /dev/video0), rtsp:// or "
    "http(s)://, gst:LAUNCH, or test";

bool is_camera(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; }) ||
         text.rfind("/dev/video", 0) == 0;
}

bool starts_with(const std::string& text, const std::string& beginning) {
  return text.rfind(beginning, 0) == 0;
}

bool is_pattern(const std::string& text) { return text == "test" || starts_with(text, "test:"); }

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw UserError(ExitCode::kSource, "source " + quoted(text) + " " + why);
}

/// By extension, else by content, so that a picture without a usual name is found too. A film of
/// JPEG pictures begins as one picture does.
bool is_picture(const fs::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".mjpeg" || extension == ".mjpg") return false;
  return has_picture_extension(path) || cv::haveImageReader(path.string());
}

/// Null if `text` is a file, a folder or a glob pattern.
std::unique_ptr<Source> open_endless(const std::string& text, const Opening& opening) {
  if (is_pattern(text)) return std::make_unique<PatternSource>(parse_pattern(text), text);
  if (is_camera(text)) return open_camera(text, opening);
  if (starts_with(text, "gst:")) return open_fragment(text, opening);
  for (const char* scheme : {"rtsp://", "rtsps://", "http://", "https://"}) {
    if (starts_with(text, scheme)) return open_stream(text, opening);
  }
  if (text == "-" || text.find("://") != std::string::npos) {
    refuse(text, std::string("is of a kind that cannot be read: give ") + kSupported);
  }
  return nullptr;
}

/// Null if `text` is a film.
std::unique_ptr<Source> open_pictures(const std::string& text) {
  const fs::path path = text;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) {
    return std::make_unique<ImagesSource>(text, pictures_in_folder(path));
  }
  if (!fs::exists(status)) {
    if (status.type() != fs::file_type::not_found)
      refuse(text, "cannot be read: " + error.message());
    if (text.find_first_of("*?[") == std::string::npos) {
      refuse(text, std::string("does not exist: give ") + kSupported);
    }
    return std::make_unique<ImagesSource>(text, pictures_matching(text));
  }
  if (!fs::is_regular_file(status)) refuse(text, "is neither a file nor a folder");
  if (is_picture(path)) return std::make_unique<ImagesSource>(text, std::vector<fs::path>{path});
  return nullptr;
}

/// What has no time of its own to start at, but may be ended after a while.
std::unique_ptr<Source> cut(std::unique_ptr<Source> source, const std::string& text,
                            const InputOptions& options) {
  if (options.start_s > 0) {
    throw UserError(ExitCode::kUsage,
                    "--start: source " + quoted(text) + " has no beginning to skip; films have");
  }
  return options.duration_s > 0 ? bounded(std::move(source), options.duration_s)
                                : std::move(source);
}

std::unique_ptr<Source> open_files(const std::string& text, const InputOptions& options,
                                   const std::stop_token& stop) {
  auto pictures = open_pictures(text);
  return pictures ? cut(std::move(pictures), text, options) : open_film_source(text, options, stop);
}

}  // namespace

std::unique_ptr<Source> open_source(const std::string& text, const InputOptions& options,
                                    const Opening& opening) {
  if (text.empty()) refuse(text, std::string("is empty: give ") + kSupported);
  std::unique_ptr<Source> source = open_endless(text, opening);
  if (source) {
    source = cut(std::move(source), text, options);
  } else {
    const auto open = [text, options, stop = opening.stop] {
      return open_files(text, options, stop);
    };
    source = options.loop ? looped(open) : open();
  }
  return options.max_fps > 0 ? thinned(std::move(source), options.max_fps) : std::move(source);
}

}  // namespace gradcam
