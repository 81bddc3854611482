#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "stages/explain/box.h"
#include "stages/explain/scalar.h"
#include "stages/explain/score_activation.h"

/// From a detector's output to boxes, and back to the numbers that made a box. Plain loops, no
/// torch; pure functions, any thread.
namespace gradcam {

/// What one box's numbers in the output are, N boxes of C classes. The objectness is 0..1; so are
/// the class scores (a sigmoid or softmax is part of the network) but for kRawHeads, where
/// BoxLayout::scores says what they are.
enum class BoxFormat {
  kYolox,     ///< [N, 5+C]: cx, cy, w, h, objectness, class scores
  kYolov5,    ///< [N, 5+C]: the same columns
  kYolov8,    ///< [4+C, N]: cx, cy, w, h, class scores (v8, v9, v11); see decode() for [N, 4+C]
  kRawHeads,  ///< [N, 4+C]: x1, y1, x2, y2, class scores; a background class counts as one of C
};

/// A description's `output.format` and what goes with it.
struct BoxLayout {
  BoxFormat format = BoxFormat::kYolox;
  /// Boxes are in pixels of the network's input. Else they are offsets: of kYolox in the cells of
  /// grids of 8, 16 and 32 pixels, cx = (x + column) * stride, w = exp(w) * stride; of kRawHeads
  /// from `anchors`, cx = anchor.cx + variances[0] * x * anchor.w, w = anchor.w *
  /// exp(variances[2] * w) (Ren 2015, Liu 2016). The other formats have none.
  bool decoded = true;
  ScoreActivation scores = ScoreActivation::kNone;
  int background = -1;  ///< the class that says that there is nothing; -1 = none does
  int classes = 0;      ///< C; 0 = as many as the output holds
  std::vector<std::array<float, 4>> anchors{};    ///< cx, cy, w, h in pixels, one for each box
  std::array<float, 4> variances = {1, 1, 1, 1};  ///< of cx, cy, w, h; SSD: 0.1, 0.1, 0.2, 0.2
};

struct Detection {
  Box box;        ///< in pixels of the network's input; may reach beyond it
  int index = 0;  ///< its best class
  float score = 0;
  /// d score / d class score; of kSoftmax, S is the logit itself, as it is for a classifier.
  SeedTerm by_class{-1, 0};
  SeedTerm by_objectness{-1, 0};  ///< d score / d objectness; index -1 where the format has none
};

/// C of an output of this shape. Throws as decode() does for a shape that is not the format's.
int classes_in(std::span<const std::int64_t> shape, const BoxLayout& layout);

/// Boxes whose score (best class score, times objectness where there is one) is at least
/// `threshold`, in the output's order; boxes without area are left out. As the demos of YOLOX and
/// Ultralytics do: one class per box, the first of equals.
/// `shape`: two dimensions, or three the first of which is 1. kYolov8 also takes [N, 4+C] when
/// `layout.classes` tells the two apart; with classes unknown it takes [4+C, N] with 4+C <= N.
/// Throws std::runtime_error: a shape that is not the format's, undecoded boxes of a format, input
/// size or number of anchors that has none, NaN or infinity.
std::vector<Detection> decode(std::span<const float> output, std::span<const std::int64_t> shape,
                              const BoxLayout& layout, int input_height, int input_width,
                              float threshold);

/// Of boxes of one class that overlap by more than `iou_threshold`, the best alone (torchvision's
/// batched_nms). Best first; of equal scores the lower class, then the earlier in `detections`.
std::vector<Detection> non_maximum_suppression(std::vector<Detection> detections,
                                               float iou_threshold);

/// The score of a detection as a function of the output.
Scalar scalar_of(const Detection& detection);

}  // namespace gradcam
