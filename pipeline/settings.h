#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "config/options.h"
#include "stages/explain/tasks/target_choice.h"

namespace gradcam {

/// What the user may change while a run goes on; the source is not opened again.
struct ViewSettings {
  OverlayOptions overlay;  ///< view, colour map, opacity, HUD: from the next drawn frame on
  TargetChoice target;     ///< what is explained: from the next explained frame on
  std::string method;      ///< how; empty = as the run began
  std::string layer;       ///< target layer; empty = the one the run began with
  bool paused = false;     ///< the window shows no new frames
};

/// The settings of a run: the window changes them, and the stages read them for each frame. Any
/// thread.
class LiveSettings {
 public:
  explicit LiveSettings(ViewSettings settings) : settings_(std::move(settings)) {}

  ViewSettings get() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }
  /// Calls `change(ViewSettings&)`; nobody else reads or changes the settings meanwhile.
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change(settings_);
  }

 private:
  mutable std::mutex mutex_;
  ViewSettings settings_;
};

}  // namespace gradcam
