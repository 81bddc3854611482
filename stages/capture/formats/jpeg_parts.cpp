#include "stages/capture/formats/jpeg_parts.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "config/text.h"

namespace gradcam {
namespace {

constexpr auto kNone = std::string::npos;
const std::string kBegin = "\xFF\xD8\xFF";
/// Longer than any head. What comes before is no part of one.
constexpr std::size_t kLongestHead = 65536;
constexpr std::size_t kLongestPicture = std::size_t{64} << 20;

constexpr unsigned char kStartOfImage = 0xD8;
constexpr unsigned char kEndOfImage = 0xD9;
constexpr unsigned char kStartOfScan = 0xDA;

constexpr bool is_restart(unsigned char marker) { return marker >= 0xD0 && marker <= 0xD7; }

unsigned char byte_at(const std::string& data, std::size_t at) {
  return static_cast<unsigned char>(data[at]);
}

/// "--NAME" of 'multipart/x-mixed-replace; boundary="NAME"'. Some servers tell it with the hyphens
/// that belong to the body.
std::string told_boundary(const std::string& content_type) {
  const std::size_t found = lower_case(content_type).find("boundary=");
  if (found == kNone) return {};
  std::string name = content_type.substr(found + std::strlen("boundary="));
  const bool in_quotes = !name.empty() && name.front() == '"';
  if (in_quotes) name.erase(0, 1);
  name = name.substr(0, name.find_first_of(in_quotes ? "\"" : "; \t\r\n"));
  name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
  return name.empty() ? name : "--" + name;
}

/// Its last line that may be a boundary, without its end; empty if there is none.
std::string boundary_in(const std::string& head) {
  for (std::size_t end = head.size(); end > 0;) {
    const std::size_t line_end = head.rfind('\n', end - 1);
    if (line_end == kNone) return {};
    const std::size_t before = line_end == 0 ? kNone : head.rfind('\n', line_end - 1);
    const std::size_t begin = before == kNone ? 0 : before + 1;
    std::string line = head.substr(begin, line_end - begin);
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.size() > 2 && line.compare(0, 2, "--") == 0) return line;
    end = line_end;
  }
  return {};
}

}  // namespace

bool is_picture_stream(const std::string& content_type) {
  const std::string type = lower_case(content_type);
  for (const char* known : {"multipart/", "video/x-motion-jpeg", "video/x-jpeg", "video/mjpeg"}) {
    if (type.rfind(known, 0) == 0) return true;
  }
  return false;
}

JpegParts::JpegParts(const std::string& content_type) : boundary_(told_boundary(content_type)) {}

std::optional<JpegParts::Picture> JpegParts::next() {
  if (place_ == Place::kBehind && !skip_rest()) return std::nullopt;
  if (place_ == Place::kBetween && !find_picture()) return std::nullopt;
  const Walk walk = this->walk();
  const std::size_t boundary = find_boundary();
  if (walk != Walk::kMore && walked_ <= boundary) return take(walked_, walk == Walk::kEnd);
  if (boundary != kNone) return take(boundary, false);
  if (data_.size() > kLongestPicture) return take(data_.size(), false);
  return std::nullopt;
}

/// Goes to where a picture begins. False: none has come yet.
bool JpegParts::find_picture() {
  const std::size_t begin = data_.find(kBegin);
  if (begin == kNone) {
    if (data_.size() > kLongestHead) data_.erase(0, data_.size() - kLongestHead);
    return false;
  }
  read_head(data_.substr(0, begin));
  data_.erase(0, begin);
  place_ = Place::kPicture;
  walked_ = 2;
  searched_ = 2;
  in_scan_ = false;
  return true;
}

void JpegParts::read_head(const std::string& head) {
  // The body is right, whatever the server's header says.
  if (std::string boundary = boundary_in(head); !boundary.empty()) boundary_ = std::move(boundary);
  const std::string length = "content-length:";
  const std::size_t found = lower_case(head).rfind(length);
  part_size_ = found == kNone ? 0 : std::strtoul(head.c_str() + found + length.size(), nullptr, 10);
}

/// Behind a picture a part may hold more, such as one for the other eye. False: the end of the part
/// has not come yet.
bool JpegParts::skip_rest() {
  const std::size_t boundary = boundary_.empty() ? kNone : data_.find(boundary_);
  std::size_t end = boundary;  // what told no length ends there
  if (part_size_ > 0) {
    end = std::min(boundary, std::max(part_size_, taken_) - taken_);
  } else if (boundary_.empty()) {
    end = 0;
  }
  if (end > data_.size()) {
    const std::size_t gone = data_.size() - std::min(data_.size(), boundary_.size());
    taken_ += gone;
    data_.erase(0, gone);
    return false;
  }
  data_.erase(0, end);
  place_ = Place::kBetween;
  return true;
}

JpegParts::Picture JpegParts::take(std::size_t size, bool whole) {
  Picture picture{data_.substr(0, size), whole};
  data_.erase(0, size);
  taken_ = size;
  place_ = whole ? Place::kBehind : Place::kBetween;
  return picture;
}

/// From marker to marker. kEnd: walked_ is the end of the picture; kCut: the next one begins there.
JpegParts::Walk JpegParts::walk() {
  while (true) {
    if (in_scan_ && !walk_scan()) return Walk::kMore;
    while (walked_ + 1 < data_.size() &&
           (byte_at(data_, walked_) != 0xFF || byte_at(data_, walked_ + 1) == 0xFF)) {
      ++walked_;  // filling
    }
    if (walked_ + 2 > data_.size()) return Walk::kMore;
    const unsigned char marker = byte_at(data_, walked_ + 1);
    if (marker == kStartOfImage) return Walk::kCut;  // small pictures lie inside of segments
    if (marker == kEndOfImage) {
      walked_ += 2;
      return Walk::kEnd;
    }
    if (marker <= 1 || is_restart(marker)) {  // without a length
      walked_ += 2;
      continue;
    }
    if (walked_ + 3 >= data_.size()) return Walk::kMore;
    const std::size_t length = byte_at(data_, walked_ + 2) << 8U | byte_at(data_, walked_ + 3);
    if (walked_ + 2 + length > data_.size()) return Walk::kMore;
    walked_ += 2 + length;
    in_scan_ = marker == kStartOfScan;
  }
}

/// Over entropy-coded data, in which a marker other than that of a restart ends the scan. False:
/// it has not ended yet.
bool JpegParts::walk_scan() {
  while (true) {
    const std::size_t found = data_.find('\xFF', walked_);
    walked_ = found == kNone ? data_.size() : found;
    if (found == kNone || found + 1 >= data_.size()) return false;
    const unsigned char marker = byte_at(data_, found + 1);
    if (marker != 0 && marker != 0xFF && !is_restart(marker)) {
      in_scan_ = false;
      return true;
    }
    walked_ += marker == 0xFF ? 1 : 2;
  }
}

/// The next part, which begins before this picture has ended.
std::size_t JpegParts::find_boundary() {
  if (boundary_.empty()) return kNone;
  const std::string line = "\n" + boundary_;
  const std::size_t found = data_.find(line, searched_);
  searched_ = data_.size() - std::min(data_.size(), line.size());
  return found;
}

}  // namespace gradcam
