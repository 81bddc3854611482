#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "stages/explain/tasks/scalar.h"
#include "stages/frame/box.h"
#include "stages/frame/description.h"

/// From a detector's output to boxes, and back to the numbers that made a box. Plain loops, no
/// torch; pure functions, any thread.
namespace gradcam {

struct Detection {
  Box box;        ///< in pixels of the network's input; may reach beyond it
  int index = 0;  ///< its best class
  float score = 0;
  /// d score / d class score; of kSoftmax, S is the logit itself, as it is for a classifier.
  SeedTerm by_class{-1, 0};
  SeedTerm by_objectness{-1, 0};  ///< d score / d objectness; index -1 where the format has none
  std::array<std::int64_t, 4> box_numbers{};  ///< where in the output its box lies, as it is there
};

/// C of an output of this shape. Throws as decode() does for a shape that is not the format's.
int classes_in(std::span<const std::int64_t> shape, const BoxLayout& layout);

/// Boxes whose score (best class score, times objectness where there is one) is at least
/// `threshold`, in the output's order; boxes without area are left out. As the demos of YOLOX and
/// Ultralytics do: one class per box, the first of equals.
/// `shape`: two dimensions, or three the first of which is 1. kYolov8 also takes [N, 4+C] when
/// `layout.classes` tells the two apart; with classes unknown it takes [4+C, N] with 4+C <= N.
/// kEndToEnd takes any number of columns behind the class.
/// Throws std::runtime_error: a shape that is not the format's, undecoded boxes of a format, input
/// size or number of anchors that has none, a class that is no whole number, NaN or infinity.
std::vector<Detection> decode(std::span<const float> output, std::span<const std::int64_t> shape,
                              const BoxLayout& layout, int input_height, int input_width,
                              float threshold);

/// Throws std::runtime_error if the numbers are no boxes of the layout: corners in the wrong order,
/// shares of a picture or scores far above 1. So class scores are not read as corners.
void require_plausible(std::span<const float> output, std::span<const std::int64_t> shape,
                       const BoxLayout& layout);

/// Of boxes of one class that overlap by more than `iou_threshold`, the best alone (torchvision's
/// batched_nms). Best first; of equal scores the lower class, then the earlier in `detections`.
std::vector<Detection> non_maximum_suppression(std::vector<Detection> detections,
                                               float iou_threshold);

/// The score of a detection as a function of the output.
Scalar scalar_of(const Detection& detection);

}  // namespace gradcam
