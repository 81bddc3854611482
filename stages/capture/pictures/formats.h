#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "stages/capture/pictures/picture.h"

/// What reads each format of pictures. `bytes` is the whole file. All throw UnreadablePicture;
/// those of libraries that this build lacks say which.
namespace gradcam {

/// Throws if there is no pixel, or more than OpenCV takes.
cv::Size checked_size(std::uint64_t width, std::uint64_t height);
/// What OpenCV reads of a file that is stored upright: BGR, or with `alpha` BGR and alpha.
cv::Mat decode(std::string_view bytes, int flags);
/// The picture of BGR or BGRA.
StoredPicture split(const cv::Mat& stored);

StoredPicture read_jpeg(const std::string& bytes);

StoredPicture read_png(const std::string& bytes);
/// Null for a still picture. https://wiki.mozilla.org/APNG_Specification
std::unique_ptr<Animation> animate_png(std::string bytes);

StoredPicture read_webp(const std::string& bytes);
std::unique_ptr<Animation> animate_webp(std::string bytes);

/// All by libtiff, but what only OpenCV unpacks (10, 12 and 14 bits).
StoredPicture read_tiff(const std::string& bytes);

/// HEIC, AVIF and their kin.
StoredPicture read_heif(const std::string& bytes);

StoredPicture read_jxl(const std::string& bytes);
std::unique_ptr<Animation> animate_jxl(std::string bytes);

}  // namespace gradcam
