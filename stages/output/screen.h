#pragma once

#include <optional>
#include <string>

#include "stages/frame/frame.h"

namespace gradcam {

/// Windows, each with a title of its own that names it. Main thread only.
class Screen {
 public:
  virtual ~Screen() = default;
  /// Shows a picture in the window of that title, which opens with its first one.
  virtual void show(const std::string& title, const Picture& picture) = 0;
  /// All windows.
  virtual void set_full_screen(bool on) = 0;
  /// Serves the windows for about a millisecond. The code of a key that was pressed meanwhile.
  virtual std::optional<int> take_key() = 0;
  /// The user closed one of the windows.
  virtual bool closed() const = 0;
  /// Closes all windows.
  virtual void close() = 0;
};

}  // namespace gradcam
