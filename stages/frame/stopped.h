#pragma once

#include <stdexcept>
#include <stop_token>

namespace gradcam {

/// Thrown by slow work when the run is to end: the frame is given up, which is no failure.
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("stopped") {}
};

inline void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Stopped();
}

}  // namespace gradcam
