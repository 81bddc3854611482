#include "stages/capture/formats/stream_time.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace gradcam {

using std::chrono::nanoseconds;

nanoseconds PtsCleaner::clean(std::optional<nanoseconds> raw) {
  nanoseconds pts;
  if (!last_) {
    pts = raw.value_or(nanoseconds(0));
  } else if (!raw || raw == last_raw_) {
    pts = *last_ + step_;
  } else {
    if (*raw > *last_) offset_ = nanoseconds(0);  // it was one bad stamp, or never left
    pts = *raw + offset_;
    if (pts <= *last_ - step_) {
      offset_ = *last_ + step_ - *raw;
      pts = *raw + offset_;
    } else if (pts <= *last_) {
      // Small enough not to push the frames after it, which are probably right.
      pts = *last_ + std::min(step_, nanoseconds(std::chrono::milliseconds(1)));
    }
  }
  last_raw_ = raw;
  last_ = pts;
  return pts;
}

nanoseconds frame_duration(double frames_per_second) {
  constexpr double kFallbackRate = 25;
  const double rate = frames_per_second > 0 ? frames_per_second : kFallbackRate;
  return nanoseconds(std::llround(1e9 / rate));
}

nanoseconds seconds_to_ns(double seconds) { return nanoseconds(std::llround(seconds * 1e9)); }

std::string seconds_text(nanoseconds time, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f s", digits, std::chrono::duration<double>(time).count());
  return text;
}

std::string cut_short_text(nanoseconds reached, nanoseconds end, nanoseconds tolerance) {
  if (end - reached <= tolerance) return {};
  const int digits = end - reached < std::chrono::milliseconds(200) ? 3 : 1;
  return "ended after " + seconds_text(reached, digits) + " of the " + seconds_text(end, digits) +
         " its container claims";
}

}  // namespace gradcam
