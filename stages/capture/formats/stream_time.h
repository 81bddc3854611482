#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace gradcam {

/// Makes the time stamps of one stream strictly increasing and changes as little as it can. Good
/// stamps pass untouched; where one is missing or the last is repeated, the frame follows one step
/// later; one that lies less than a step too early is moved just behind the last; after a larger
/// jump back the stream goes on one step later with its own distances.
class PtsCleaner {
 public:
  /// `step`: the nominal duration of a frame.
  explicit PtsCleaner(std::chrono::nanoseconds step) : step_(step) {}
  std::chrono::nanoseconds clean(std::optional<std::chrono::nanoseconds> raw);

 private:
  std::chrono::nanoseconds step_;
  std::chrono::nanoseconds offset_{0};
  std::optional<std::chrono::nanoseconds> last_raw_;
  std::optional<std::chrono::nanoseconds> last_;
};

std::chrono::nanoseconds seconds_to_ns(double seconds);
/// "12.3 s", or with more digits
std::string seconds_text(std::chrono::nanoseconds time, int digits = 1);

/// The duration of a frame at this rate; 40 ms when the rate is unknown.
std::chrono::nanoseconds frame_duration(double frames_per_second);

/// A sentence on a stream that should go on to `end` and whose last frame ended at `reached`; empty
/// if that is the end within `tolerance`.
std::string cut_short_text(std::chrono::nanoseconds reached, std::chrono::nanoseconds end,
                           std::chrono::nanoseconds tolerance);

}  // namespace gradcam
