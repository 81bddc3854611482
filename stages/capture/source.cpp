#include "stages/capture/source.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "config/user_error.h"
#include "stages/capture/film_source.h"
#include "stages/capture/images_source.h"
#include "stages/capture/pattern_source.h"
#include "stages/capture/url.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSupported = "a film or picture file, a folder, a glob pattern, or test";

bool is_camera(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; }) ||
         text.rfind("/dev/video", 0) == 0;
}

bool is_stream(const std::string& text) {
  return text == "-" || text.rfind("gst:", 0) == 0 || text.find("://") != std::string::npos;
}

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw UserError(ExitCode::kSource, "source '" + without_password(text) + "' " + why);
}

/// By extension, else by content, so that a picture without a usual name is found too.
bool is_picture(const fs::path& path) {
  return has_picture_extension(path) || cv::haveImageReader(path.string());
}

}  // namespace

std::unique_ptr<Source> open_source(const std::string& text, const InputOptions& options) {
  if (text.empty()) refuse(text, std::string("is empty: give ") + kSupported);
  if (text == "test") return std::make_unique<PatternSource>();
  if (is_camera(text) || is_stream(text)) {
    refuse(text, std::string("is a camera or a stream, which this version cannot read: give ") +
                     kSupported);
  }

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
  return open_film_source(path, options);
}

}  // namespace gradcam
