#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "stages/explain/tasks/box_tracker.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// What is remembered of a stream from one explained frame to the next. One per stream, used by one
/// thread at a time, in the order of the frames.
struct StreamMemory {
  BoxTracker tracker;
  std::optional<int> held;  ///< class that `auto` explains until another leads by the hysteresis
  /// Last method map of each layer and target, for methods whose sign is free.
  std::map<std::pair<std::string, std::size_t>, HeatMap> signs;
};

}  // namespace gradcam
