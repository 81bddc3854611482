#include "stages/capture/pictures/jpeg.h"

#include <cstddef>

namespace gradcam {
namespace {

constexpr unsigned kTemporary = 0x01;
constexpr unsigned kFirstRestart = 0xD0;
constexpr unsigned kLastRestart = 0xD7;
constexpr unsigned kStart = 0xD8;
constexpr unsigned kEnd = 0xD9;
constexpr unsigned kScan = 0xDA;

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

bool is_restart(unsigned marker) { return marker >= kFirstRestart && marker <= kLastRestart; }

/// Markers that may stand between the scans of a picture, with a segment behind each: tables (DHT,
/// DAC, DQT, DNL, DRI), the next scan, notes (APPn, COM). What follows the place where a picture
/// was cut seldom looks like one.
bool may_follow_a_scan(unsigned marker) {
  const bool table = marker == 0xC4 || marker == 0xCC || (marker >= 0xDA && marker <= 0xDD);
  const bool note = (marker >= 0xE0 && marker <= 0xEF) || marker == 0xFE;
  return table || note;
}

/// From `at` on, in a scan's data or between segments: where the next marker begins. In data, FF 00
/// stands for a byte FF and restart markers belong to it; FF before FF only fills.
std::size_t next_marker(std::string_view bytes, std::size_t at) {
  for (at = bytes.find('\xFF', at); at < bytes.size() - 1; at = bytes.find('\xFF', at)) {
    const unsigned marker = byte_at(bytes, at + 1);
    if (marker == 0xFF) {
      ++at;
    } else if (marker == 0 || is_restart(marker)) {
      at += 2;
    } else {
      return at;
    }
  }
  return bytes.npos;
}

}  // namespace

bool is_whole_jpeg(std::string_view bytes) {
  bool scanned = false;
  for (std::size_t at = next_marker(bytes, 2); at != bytes.npos;) {
    const unsigned marker = byte_at(bytes, at + 1);
    if (marker == kEnd) return scanned;
    if (scanned && !may_follow_a_scan(marker)) return false;
    at += 2;
    if (marker != kTemporary && marker != kStart) {
      if (at + 2 > bytes.size()) return false;
      at += 256 * byte_at(bytes, at) + byte_at(bytes, at + 1);
    }
    // In front of the scans some programs leave bytes that mean nothing; decoders pass over them.
    const bool at_marker = at < bytes.size() && byte_at(bytes, at) == 0xFF;
    if (scanned && marker != kScan && !at_marker) return false;
    scanned = scanned || marker == kScan;
    at = next_marker(bytes, at);
  }
  return false;
}

}  // namespace gradcam
