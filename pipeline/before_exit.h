#pragma once

#include <functional>

namespace gradcam {

/// For libraries that call exit() on their own, such as Qt when the display is gone. While this
/// object lives, exit() on the thread that made it calls `call` and ends the process with what that
/// returns; no destructor of a static runs while other threads still work. One object at a time.
class BeforeExit {
 public:
  explicit BeforeExit(std::function<int()> call);
  ~BeforeExit();
  BeforeExit(const BeforeExit&) = delete;
  BeforeExit& operator=(const BeforeExit&) = delete;
};

}  // namespace gradcam
