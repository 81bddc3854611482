#pragma once

#include <cstdint>
#include <vector>

#include "stages/frame/box.h"

namespace gradcam {

struct Detection;  // decode_boxes.h

struct TrackerSettings {
  float min_iou = 0.3F;  ///< a box that overlaps less is another object
  int max_missed = 10;   ///< updates in a row that an object survives without a box
};

/// Finds the objects of earlier frames among the boxes of a frame. In each class the box and the
/// object that overlap most belong together, then the next such pair; motion is not predicted (the
/// IoU tracker of Bochinski et al. 2017, with gaps allowed). One per stream, for one thread at a
/// time, updated in the order of the frames.
class BoxTracker {
 public:
  explicit BoxTracker(TrackerSettings settings = {});

  /// The objects' numbers, one per detection in the same order: from 1 up, never reused. The boxes
  /// may be in pixels of input or frame, as long as it is always the same.
  std::vector<std::int64_t> update(const std::vector<Detection>& detections);

 private:
  /// An object where it was last seen.
  struct Track {
    std::int64_t id = 0;
    Box box;
    int index = 0;
    int missed = 0;
  };

  TrackerSettings settings_;
  std::vector<Track> tracks_;  ///< oldest first
  std::int64_t last_id_ = 0;
};

}  // namespace gradcam
