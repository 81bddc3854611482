#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <variant>

#include "config/options.h"
#include "stages/frame/source_info.h"
#include "stages/picture/picture.h"

namespace gradcam {

/// One decoded picture. The pixels belong to the receiver: the source never writes them again.
struct Captured {
  Picture image;  ///< as it was decoded, never empty; its size may change in mid-stream
  std::chrono::nanoseconds pts{0};
  std::chrono::nanoseconds duration{0};  ///< 0 = unknown
  bool damaged = false;  ///< parts of it could not be decoded, and are guessed from other pictures
};
struct NotYet {};       ///< nothing within the time given: ask again
struct Undecodable {};  ///< a picture came that cannot be decoded; those behind it may be sound
struct EndOfStream {
  std::string cut_short;  ///< not empty: ended too early, or left something out; says why
};
using Capture = std::variant<Captured, NotYet, Undecodable, EndOfStream>;

/// A stream of pictures. The constructor opens (UserError kSource names the source and why), the
/// destructor closes. All calls come from one thread, the source's own; each returns in bounded
/// time.
class Source {
 public:
  virtual ~Source() = default;
  virtual const SourceInfo& info() const = 0;
  /// The next picture in presentation order, PTS strictly increasing from the source's first.
  /// Waits at most `timeout`. Throws UserError(kSource) when the source breaks; then it has ended.
  virtual Capture next(std::chrono::milliseconds timeout) = 0;
};

/// How a source is opened.
struct Opening {
  bool newest_only = true;  ///< live: a picture that nobody has taken yet gives way to a newer one
  std::stop_token stop;     ///< ends the wait for the first picture
  /// Takes a line on what the user might not expect of a picture, once for each matter; on the
  /// thread that opens or reads. May be empty.
  std::function<void(const std::string&)> tell = {};
};

/// Opens `text`, of any kind of config/source_table.h, as one stream. Of `options` it obeys the
/// start, the duration, the most frames per second and the loop. Throws UserError: kSource, also
/// when stopped; kUsage for a start time in what is no film.
std::unique_ptr<Source> open_source(const std::string& text, const InputOptions& options,
                                    const Opening& opening = {});

}  // namespace gradcam
