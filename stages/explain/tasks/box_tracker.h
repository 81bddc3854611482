#pragma once

#include <cstdint>
#include <vector>

#include "stages/frame/box.h"

namespace gradcam {

struct Detection;  // decode_boxes.h

struct TrackerSettings {
  float min_iou = 0.3F;  ///< below this overlap a box is another object
  int max_missed = 10;   ///< an object lives on for so many updates in a row without its box
};

/// Which box of a frame is which object of the frames before: of each class, the pair that overlaps
/// most belongs together, then the next, without a model of motion (the IoU tracker of Bochinski et
/// al. 2017, with gaps allowed). One per stream, updated in the order of its frames; one thread.
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
