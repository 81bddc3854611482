#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "config/options.h"
#include "stages/explain/tasks/targets.h"

namespace gradcam {

/// What whoever watches may change while a run goes on, without a restart of the source.
struct ViewSettings {
  OverlayOptions overlay;  ///< view, colour map, opacity, HUD: from the next drawn frame on
  TargetChoice target;     ///< what is explained: from the next explained frame on
  std::string method;      ///< how; empty = as the run began
  std::string layer;       ///< target layer; empty = the one the run began with
  bool paused = false;     ///< the window stands still
};

/// The one place where the settings of a run live: a window changes them, and so may a browser; the
/// stages read them for each frame. Any thread.
class LiveSettings {
 public:
  explicit LiveSettings(ViewSettings settings) : settings_(std::move(settings)) {}

  ViewSettings get() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }
  /// `change(ViewSettings&)`, with no other change in between.
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
