#include "stages/capture/pictures/picture.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string_view>

#include "config/output_table.h"
#include "stages/capture/pictures/formats.h"
#include "stages/capture/pictures/jpeg.h"
#include "stages/capture/pictures/png_chunks.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytes = 64;  ///< enough to tell a format

bool holds(std::string_view text, std::size_t at, std::string_view part) {
  return text.size() >= at && text.substr(at, part.size()) == part;
}
bool begins(std::string_view text, std::string_view with) { return holds(text, 0, with); }

/// A box "ftyp" that names a brand of still pictures, first or among those it is compatible with.
bool is_heif(std::string_view head) {
  if (!holds(head, 4, "ftyp")) return false;
  const std::size_t size = std::min<std::size_t>(png::number(head, 0, 4), head.size());
  for (std::size_t at = 8; at + 4 <= size; at += at == 8 ? 8 : 4) {  // behind the first: a version
    for (const std::string_view brand : {"mif1", "heic", "heix", "avif"}) {
      if (holds(head, at, brand)) return true;
    }
  }
  return false;
}

/// A moving AVIF or HEIC: a film in mp4's container, with a still picture for others beside it.
bool is_heif_film(std::string_view head) {
  return holds(head, 4, "ftypavis") || holds(head, 4, "ftyphevc") || holds(head, 4, "ftypmsf1");
}

struct Format {
  bool (*recognises)(std::string_view head);
  StoredPicture (*read)(const std::string& bytes);
  std::unique_ptr<Animation> (*animate)(std::string bytes);  ///< nullptr: never moves
};

constexpr std::array kFormats = {
    Format{[](std::string_view head) { return begins(head, "\xFF\xD8\xFF"); }, read_jpeg, nullptr},
    Format{[](std::string_view head) { return begins(head, png::kSignature); }, read_png,
           animate_png},
    Format{[](std::string_view head) { return begins(head, "RIFF") && holds(head, 8, "WEBP"); },
           read_webp, animate_webp},
    Format{[](std::string_view head) {
             using namespace std::string_view_literals;
             return begins(head, "II*\0"sv) || begins(head, "MM\0*"sv) || begins(head, "II+\0"sv) ||
                    begins(head, "MM\0+"sv);
           },
           read_tiff, nullptr},
    Format{is_heif, read_heif, nullptr},
    Format{[](std::string_view head) {
             using namespace std::string_view_literals;
             return begins(head, "\xFF\x0A") || begins(head, "\0\0\0\x0CJXL \r\n\x87\n"sv);
           },
           read_jxl, animate_jxl},
};

std::string head_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string head(kHeadBytes, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  return head;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// nullptr: one that is left to OpenCV, or none.
const Format* format_of(const fs::path& path) {
  const std::string head = head_of(path);
  const auto found = std::find_if(kFormats.begin(), kFormats.end(),
                                  [&](const Format& format) { return format.recognises(head); });
  return found == kFormats.end() ? nullptr : &*found;
}

/// What OpenCV throws on some broken files is what it returns nothing for on others.
template <class Read>
cv::Mat decoded(const Read& read) {
  cv::Mat picture;
  try {
    picture = read();
  } catch (const cv::Exception&) {
  }
  if (picture.empty()) throw UnreadablePicture();
  return picture;
}

StoredPicture read_other(const fs::path& path) {
  StoredPicture picture;
  picture.colours =
      decoded([&] { return cv::imread(path.string(), cv::IMREAD_COLOR | cv::IMREAD_ANYDEPTH); });
  if (picture.colours.depth() != CV_8U && picture.colours.depth() != CV_16U) {
    picture.colours = decoded([&] { return cv::imread(path.string(), cv::IMREAD_COLOR); });
  }
  return picture;
}

}  // namespace

cv::Size checked_size(std::uint64_t width, std::uint64_t height) {
  constexpr std::uint64_t kMostOfASide = 1 << 20;
  constexpr std::uint64_t kMostPixels = 1 << 30;
  const bool empty = width == 0 || height == 0;
  if (empty || width > kMostOfASide || height > kMostOfASide || width * height > kMostPixels) {
    throw UnreadablePicture();
  }
  return {static_cast<int>(width), static_cast<int>(height)};
}

cv::Mat decode(std::string_view bytes, int flags) {
  const cv::Mat buffer(1, static_cast<int>(bytes.size()), CV_8UC1,
                       const_cast<char*>(bytes.data()));  // it is only read
  return decoded([&] { return cv::imdecode(buffer, flags); });
}

StoredPicture split(const cv::Mat& stored) {
  StoredPicture picture;
  picture.colours = stored;
  if (stored.channels() != 4) return picture;
  cv::cvtColor(stored, picture.colours, cv::COLOR_BGRA2BGR);
  cv::extractChannel(stored, picture.alpha, 3);
  constexpr double kTo8Bits = 1.0 / 257;
  if (picture.alpha.depth() == CV_16U) picture.alpha.convertTo(picture.alpha, CV_8U, kTo8Bits);
  return picture;
}

StoredPicture read_jpeg(const std::string& bytes) {
  if (!is_whole_jpeg(bytes)) throw UnreadablePicture("damaged: the JPEG was cut off");
  StoredPicture picture;
  picture.colours = decode(bytes, cv::IMREAD_COLOR);
  return picture;
}

bool has_picture_extension(const fs::path& path) {
  return has_extension(path.string(), {".jpg", ".jpeg", ".png", ".apng", ".bmp", ".tif", ".tiff",
                                       ".webp", ".avif", ".heic", ".heif", ".jxl"});
}

std::string picture_extensions() { return ".jpg .png .bmp .tif .webp .avif .heic .jxl"; }

bool is_picture(const fs::path& path) {
  if (has_extension(path.string(), {".mjpeg", ".mjpg"}) || is_heif_film(head_of(path)))
    return false;
  return has_picture_extension(path) || format_of(path) != nullptr ||
         cv::haveImageReader(path.string());
}

StoredPicture read_picture(const fs::path& path) {
  const Format* const format = format_of(path);
  if (format == nullptr) return read_other(path);
  return format->read(bytes_of(path));
}

std::unique_ptr<Animation> open_animation(const fs::path& path) {
  const Format* const format = format_of(path);
  if (format == nullptr || format->animate == nullptr) return nullptr;
  return format->animate(bytes_of(path));
}

}  // namespace gradcam
