#pragma once

#include <chrono>

namespace gradcam {

/// The clock of latencies and deadlines: it never jumps.
using Clock = std::chrono::steady_clock;

/// Milliseconds from `begin` to now.
inline double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

}  // namespace gradcam
