#include "stages/explain/tasks/box_tracker.h"

#include <algorithm>
#include <cstddef>
#include <tuple>

#include "stages/explain/tasks/decode_boxes.h"

namespace gradcam {
namespace {

/// An object and a box that may be its.
struct Pair {
  float overlap;
  std::size_t track;
  std::size_t detection;
};

}  // namespace

BoxTracker::BoxTracker(TrackerSettings settings) : settings_(settings) {}

std::vector<std::int64_t> BoxTracker::update(const std::vector<Detection>& detections) {
  std::vector<Pair> pairs;
  for (std::size_t t = 0; t < tracks_.size(); ++t) {
    for (std::size_t d = 0; d < detections.size(); ++d) {
      if (tracks_[t].index != detections[d].index) continue;
      const float overlap = iou(tracks_[t].box, detections[d].box);
      if (overlap >= settings_.min_iou) pairs.push_back({overlap, t, d});
    }
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    return std::tie(b.overlap, a.track, a.detection) < std::tie(a.overlap, b.track, b.detection);
  });

  for (Track& track : tracks_) ++track.missed;
  std::vector<std::int64_t> ids(detections.size(), 0);
  for (const Pair& pair : pairs) {
    Track& track = tracks_[pair.track];
    if (track.missed == 0 || ids[pair.detection] != 0)
      continue;  // one of the two has found its own
    ids[pair.detection] = track.id;
    track.box = detections[pair.detection].box;
    track.missed = 0;
  }
  std::erase_if(tracks_, [&](const Track& track) { return track.missed > settings_.max_missed; });
  for (std::size_t d = 0; d < detections.size(); ++d) {
    if (ids[d] != 0) continue;
    ids[d] = ++last_id_;
    tracks_.push_back({ids[d], detections[d].box, detections[d].index});
  }
  return ids;
}

}  // namespace gradcam
