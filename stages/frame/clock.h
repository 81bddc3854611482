#pragma once

#include <chrono>
#include <functional>

namespace gradcam {

/// The clock of latencies and deadlines: it never jumps.
using Clock = std::chrono::steady_clock;

/// What a limit of time is held against: Clock::now, or in tests a clock that moves as they say.
using Now = std::function<Clock::time_point()>;

/// Milliseconds from `begin` to now.
inline double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

}  // namespace gradcam
