#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

namespace gradcam {

/// A file of Protocol Buffers, read field by field without its scheme. Lengths are held against the
/// end of the message that they stand in, so that no number in a damaged file leads out of it.
class ProtoFile {
 public:
  explicit ProtoFile(const std::string& path) : in_(path, std::ios::binary | std::ios::ate) {
    if (in_) size_ = static_cast<std::uint64_t>(in_.tellg());
    in_.seekg(0);
  }

  std::uint64_t size() const { return size_; }

  /// Calls `take(field, end)` for each field of the message up to `end` that has a length; it may
  /// read on up to the field's end. False: it stopped at what is damaged.
  template <typename Take>
  bool each_field(std::uint64_t end, const Take& take) {
    while (in_ && at_ < end) {
      const auto tag = number(end);
      if (!tag || !take_field(*tag, end, take)) return false;
    }
    return static_cast<bool>(in_);
  }

  /// The text up to `end`; empty if it is longer than any name.
  std::string text(std::uint64_t end) {
    constexpr std::uint64_t kMost = 1 << 16;
    std::string text;
    if (end - at_ > kMost) return text;
    text.resize(end - at_);
    in_.read(text.data(), static_cast<std::streamsize>(text.size()));
    at_ = end;
    if (!in_) text.clear();
    return text;
  }

 private:
  template <typename Take>
  bool take_field(std::uint64_t tag, std::uint64_t end, const Take& take) {
    if (tag >> 3U == 0) return false;
    switch (tag & 7U) {
      case 0:
        return number(end).has_value();
      case 1:
        return skip_to(at_ + 8, end);
      case 5:
        return skip_to(at_ + 4, end);
      case 2: {
        const auto length = number(end);
        if (!length || *length > end - at_) return false;
        const std::uint64_t stop = at_ + *length;
        take(tag >> 3U, stop);
        return skip_to(stop, end);
      }
      default:
        return false;
    }
  }

  std::optional<std::uint64_t> number(std::uint64_t end) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < end; shift += 7) {
      const int byte = in_.get();
      if (byte < 0) return std::nullopt;
      ++at_;
      value |= (static_cast<std::uint64_t>(byte) & 127U) << shift;
      if (byte < 128) return value;
    }
    return std::nullopt;
  }

  bool skip_to(std::uint64_t place, std::uint64_t end) {
    if (place > end || place < at_) return false;
    constexpr std::uint64_t kNear = 1 << 12;  // a seek throws away what the stream has read ahead
    if (place - at_ < kNear) {
      in_.ignore(static_cast<std::streamsize>(place - at_));
    } else {
      in_.seekg(static_cast<std::streamoff>(place));
    }
    at_ = place;
    return static_cast<bool>(in_);
  }

  std::ifstream in_;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
};

}  // namespace gradcam
