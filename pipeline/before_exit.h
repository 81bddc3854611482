#pragma once

#include <functional>

namespace gradcam {

/// While it lives, exit() on the thread that made it calls `last` and ends the process with what
/// that returns, without running destructors of statics under threads that are still at work. For
/// libraries that call exit() on their own, such as Qt when the display is gone. One at a time.
class BeforeExit {
 public:
  explicit BeforeExit(std::function<int()> last);
  ~BeforeExit();
  BeforeExit(const BeforeExit&) = delete;
  BeforeExit& operator=(const BeforeExit&) = delete;
};

}  // namespace gradcam
