#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace gradcam {

/// Cuts the pictures out of what a camera sends by HTTP: JPEGs one behind the other, between them
/// the boundary and headers of multipart/x-mixed-replace (RFC 2046, as cameras have it: boundaries
/// told with quotes or hyphens, lines that end without CR, no boundary in front of the first
/// picture, a Content-Length that lacks or is wrong). So a picture ends where JPEG says that it
/// does (ITU T.81, B.1.1), at once; one that the next boundary or the next picture interrupts is
/// cut. Pure.
class JpegParts {
 public:
  struct Picture {
    std::string bytes;
    bool whole = true;  ///< false: its end is missing
  };
  /// `content_type`: what the server says, or empty.
  explicit JpegParts(const std::string& content_type);

  void add(const char* bytes, std::size_t count) { data_.append(bytes, count); }
  /// The next picture that is complete or known to be cut; nullopt: more bytes are needed.
  std::optional<Picture> next();
  /// Whether the stream, if it ends here, ends within a picture.
  bool in_picture() const { return place_ == Place::kPicture; }

 private:
  bool find_picture();
  void read_head(const std::string& head);
  bool skip_rest();
  Picture take(std::size_t size, bool whole);
  enum class Walk { kMore, kEnd, kCut };
  Walk walk();
  bool walk_scan();
  std::size_t find_boundary();

  enum class Place {
    kBetween,  ///< in front of a picture: boundary, headers, anything else
    kPicture,  ///< data_ begins with a picture
    kBehind,   ///< behind one: what else its part holds is not looked at
  };

  std::string data_;      ///< what has not been done with
  std::string boundary_;  ///< with its hyphens; empty: not known yet
  Place place_ = Place::kBetween;
  std::size_t part_size_ = 0;  ///< Content-Length of the present part; 0: not told
  std::size_t taken_ = 0;      ///< kBehind: how many bytes of the part are gone
  std::size_t walked_ = 0;     ///< kPicture: understood up to here
  std::size_t searched_ = 0;   ///< kPicture: holds no boundary up to here
  bool in_scan_ = false;
};

/// Whether a server's Content-Type promises pictures one behind the other.
bool is_picture_stream(const std::string& content_type);

}  // namespace gradcam
