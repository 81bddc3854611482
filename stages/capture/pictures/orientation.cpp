#include "stages/capture/pictures/orientation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

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

cv::Mat turned(const cv::Mat& picture, const Turn& turn) {
  cv::Mat result = picture;
  if (turn.transposed) cv::transpose(picture, result);
  if (result.empty() || (!turn.flipped_x && !turn.flipped_y)) return result;
  cv::Mat flipped;
  cv::flip(result, flipped, turn.flipped_x && turn.flipped_y ? -1 : turn.flipped_x ? 1 : 0);
  return flipped;
}

cv::Mat upright(const cv::Mat& picture, int orientation) {
  const auto is_one_of = [orientation](std::initializer_list<int> tags) {
    return std::find(tags.begin(), tags.end(), orientation) != tags.end();
  };
  return turned(picture, {.transposed = orientation >= 5,
                          .flipped_x = is_one_of({2, 3, 6, 7}),
                          .flipped_y = is_one_of({3, 4, 7, 8})});
}

}  // namespace gradcam
