#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The parts that a PNG file is made of. Texts refer to the bytes of the file.
namespace gradcam::png {

inline constexpr std::string_view kSignature = "\x89PNG\r\n\x1A\n";

/// `size` bytes from `at` on as a number; 0 beyond the end.
std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t size);

struct Chunk {
  std::string_view type;
  std::string_view data;
};

/// All that are complete, in order.
std::vector<Chunk> chunks_of(std::string_view file);

/// A chunk as it stands in a file.
std::string chunk(std::string_view type, std::string_view data);

/// What is said in front of and behind the pixels.
struct Head {
  std::string_view header;        ///< IHDR
  std::string_view palette;       ///< PLTE
  std::string_view transparency;  ///< tRNS
  std::string_view exif;          ///< eXIf
  std::uint32_t frames = 0;       ///< acTL: of an animation
  std::uint32_t width() const { return number(header, 0, 4); }
  std::uint32_t height() const { return number(header, 4, 4); }
  int bits() const { return static_cast<int>(number(header, 8, 1)); }
  bool has_alpha() const {
    constexpr std::uint32_t kAlpha = 4;
    return (number(header, 9, 1) & kAlpha) != 0 || !transparency.empty();
  }
};
Head head_of(const std::vector<Chunk>& chunks);

/// One frame of an animation: fcTL, and the data of its IDAT or fdAT chunks.
struct Frame {
  std::string_view control;
  std::vector<std::string_view> data;
};
std::vector<Frame> frames_of(const std::vector<Chunk>& chunks);

}  // namespace gradcam::png
