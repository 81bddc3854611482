#pragma once

#include <stdexcept>

namespace gradcam {

/// Thrown by what takes long when the run is to end: no failure.
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("stopped") {}
};

}  // namespace gradcam
