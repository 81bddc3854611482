#include "stages/capture/formats/container_size.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>

namespace gradcam {
namespace {

/// A file read in big-endian numbers from any place.
class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& path) : in_(path, std::ios::binary) {
    std::error_code unknown;
    size_ = std::filesystem::file_size(path, unknown);
    if (unknown) size_ = 0;
  }
  std::uint64_t size() const { return size_; }

  std::optional<std::uint64_t> number(std::uint64_t at, int bytes) {
    std::array<unsigned char, 8> raw{};
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(at));
    if (!in_.read(reinterpret_cast<char*>(raw.data()), bytes)) return std::nullopt;
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | raw[static_cast<std::size_t>(i)];
    return value;
  }

 private:
  std::ifstream in_;
  std::uint64_t size_ = 0;
};

constexpr std::uint64_t four(const char (&text)[5]) {
  std::uint64_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(text[i]);
  return value;
}

/// ISO 14496-12: size and type of each box, one behind the other.
bool boxes_overrun(Bytes& file) {
  std::uint64_t at = 0;
  while (at + 8 <= file.size()) {
    std::uint64_t length = file.number(at, 4).value_or(0);
    if (length == 1) length = file.number(at + 8, 8).value_or(0);
    if (length < 8) return false;  // 0: up to the end of the file
    if (length > file.size() - at) return true;
    at += length;
  }
  return false;
}

/// EBML: the first bit that is set in a size says how many bytes it has.
bool segment_overruns(Bytes& file) {
  constexpr std::uint64_t kHeader = 0x1A45DFA3;
  constexpr std::uint64_t kSegment = 0x18538067;
  std::uint64_t at = 0;
  for (const std::uint64_t id : {kHeader, kSegment}) {
    if (file.number(at, 4) != id) return false;
    const std::uint64_t first = file.number(at + 4, 1).value_or(0);
    int bytes = 1;
    while (bytes <= 8 && (first & (0x100U >> bytes)) == 0) ++bytes;
    if (bytes > 8) return false;
    const std::uint64_t mask = (std::uint64_t{1} << (7 * bytes)) - 1;
    const std::uint64_t length = file.number(at + 4, bytes).value_or(mask) & mask;
    if (length == mask) return false;  // unknown: written live
    at += 4 + static_cast<std::uint64_t>(bytes);
    if (at > file.size() || length > file.size() - at) return true;
    at += length;
  }
  return false;
}

bool riff_overruns(Bytes& file) {
  const auto raw = file.number(4, 4);  // little-endian
  const std::uint64_t length = raw ? __builtin_bswap32(static_cast<std::uint32_t>(*raw)) : 0;
  return length > 0 && 8 + length > file.size();
}

}  // namespace

bool is_truncated(const std::filesystem::path& film) {
  Bytes file(film);
  const auto begin = file.number(0, 4);
  const auto type = file.number(4, 4);
  if (!begin || !type) return false;
  if (*begin == 0x1A45DFA3) return segment_overruns(file);
  if (*begin == four("RIFF")) return riff_overruns(file);
  for (const std::uint64_t known : {four("ftyp"), four("moov"), four("mdat"), four("free")}) {
    if (*type == known) return boxes_overrun(file);
  }
  return false;
}

}  // namespace gradcam
