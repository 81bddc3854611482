#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "stages/frame/blob.h"

/// Rectangles around objects. Header only, so that drawing boxes does not link LibTorch.
namespace gradcam {

/// A rectangle in pixels whose edges may lie between pixels (0 = left edge of the first pixel).
struct Box {
  float x1 = 0;
  float y1 = 0;
  float x2 = 0;
  float y2 = 0;

  /// Square pixels; 0 if an edge lies beyond its opposite.
  float area() const { return std::max(0.F, x2 - x1) * std::max(0.F, y2 - y1); }
};

/// An object that a detector has found.
struct DetectedObject {
  Box box;
  int index = 0;           ///< its class
  std::string label;       ///< empty when the model has no labels
  float score = 0;         ///< 0..1
  std::int64_t id = 0;     ///< given by a BoxTracker; 0 = not tracked
  bool explained = false;  ///< the heat map explains it, alone or among others
};

/// Intersection over union, 0..1; 0 if neither has an area.
inline float iou(const Box& a, const Box& b) {
  const Box common{std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2),
                   std::min(a.y2, b.y2)};
  const float all = a.area() + b.area() - common.area();
  return all > 0 ? common.area() / all : 0;
}

/// A box in pixels of the network's input as one in pixels of the frame, clipped to the frame. A
/// box in the padding of a letterbox comes back without area.
inline Box on_frame(const Box& box, const Mapping& mapping) {
  const Region& blob = mapping.in_blob;
  const Region& frame = mapping.in_frame;
  const auto x = [&](double at) {
    const double there = frame.x + (at - blob.x) * frame.width / blob.width;
    return static_cast<float>(std::clamp<double>(there, 0, mapping.frame_width));
  };
  const auto y = [&](double at) {
    const double there = frame.y + (at - blob.y) * frame.height / blob.height;
    return static_cast<float>(std::clamp<double>(there, 0, mapping.frame_height));
  };
  return {x(box.x1), y(box.y1), x(box.x2), y(box.y2)};
}

}  // namespace gradcam
