#include "stages/capture/pictures/png_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>

namespace gradcam::png {
namespace {

constexpr std::size_t kName = 4;
constexpr std::size_t kNumber = 4;  // of length, checksum and sequence
constexpr std::size_t kHeader = 13;
constexpr std::size_t kControl = 26;

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

}  // namespace

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  if (at + size > bytes.size()) return 0;
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(at, size)) {
    value = 256 * value + static_cast<unsigned char>(byte);
  }
  return value;
}

std::vector<Chunk> chunks_of(std::string_view file) {
  std::vector<Chunk> chunks;
  std::size_t at = kSignature.size();
  while (at + 2 * kNumber + kName <= file.size()) {
    const std::size_t length = number(file, at, kNumber);
    if (length > file.size() - at - 2 * kNumber - kName) break;
    at += kNumber;
    chunks.push_back({file.substr(at, kName), file.substr(at + kName, length)});
    if (chunks.back().type == "IEND") break;
    at += kName + length + kNumber;
  }
  return chunks;
}

std::string chunk(std::string_view type, std::string_view data) {
  const std::string body = std::string(type) + std::string(data);
  const auto* const bytes = reinterpret_cast<const Bytef*>(body.data());
  const uLong checksum = crc32(0, bytes, static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body +
         big_endian(static_cast<std::uint32_t>(checksum));
}

Head head_of(const std::vector<Chunk>& chunks) {
  Head head;
  for (const auto& [type, data] : chunks) {
    if (type == "IHDR" && data.size() == kHeader) head.header = data;
    if (type == "PLTE") head.palette = data;
    if (type == "tRNS") head.transparency = data;
    if (type == "eXIf") head.exif = data;
    if (type == "acTL") head.frames = number(data, 0, kNumber);
  }
  return head;
}

std::vector<Frame> frames_of(const std::vector<Chunk>& chunks) {
  std::vector<Frame> frames;  // pixels in front of the first fcTL are no part of the animation
  for (const auto& [type, data] : chunks) {
    if (type == "fcTL" && data.size() == kControl) frames.push_back({data, {}});
    if (frames.empty()) continue;
    if (type == "IDAT") frames.back().data.push_back(data);
    if (type == "fdAT") frames.back().data.push_back(data.substr(std::min(kNumber, data.size())));
  }
  return frames;
}

}  // namespace gradcam::png
