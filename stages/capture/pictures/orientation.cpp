#include "stages/capture/pictures/orientation.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace gradcam {
namespace {

/// Numbers of a TIFF structure; 0 beyond its end.
class Numbers {
 public:
  explicit Numbers(std::string_view bytes) : bytes_(bytes), little_(bytes.substr(0, 2) == "II") {}
  std::uint32_t at(std::size_t place, std::size_t size) const {
    if (place + size > bytes_.size()) return 0;
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t byte = place + (little_ ? size - 1 - i : i);
      number = 256 * number + static_cast<unsigned char>(bytes_[byte]);
    }
    return number;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

}  // namespace

int exif_orientation(std::string_view exif) {
  constexpr std::uint32_t kOrientation = 274;
  constexpr std::size_t kEntry = 12;
  const std::string_view prefix("Exif\0\0", 6);
  if (exif.substr(0, prefix.size()) == prefix) exif.remove_prefix(prefix.size());
  const Numbers numbers(exif);
  const std::size_t directory = numbers.at(4, 4);
  const std::size_t entries = numbers.at(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntry;
    if (numbers.at(entry, 2) != kOrientation) continue;
    const std::uint32_t value = numbers.at(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

cv::Mat upright(const cv::Mat& picture, int orientation) {
  // From 5 on rows are columns; 2 4 5 7 are mirrored.
  cv::Mat turned = picture;
  if (orientation >= 5) cv::transpose(picture, turned);
  std::optional<int> flip;  // 0: upside down, 1: left to right, -1: both
  if (orientation == 2 || orientation == 6) flip = 1;
  if (orientation == 3 || orientation == 7) flip = -1;
  if (orientation == 4 || orientation == 8) flip = 0;
  if (!flip || picture.empty()) return turned;
  cv::Mat result;
  cv::flip(turned, result, *flip);
  return result;
}

}  // namespace gradcam
