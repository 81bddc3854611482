#include "stages/explain/model/box_layout_rules.h"

#include <algorithm>

#include "stages/explain/tasks/box_formats.h"

namespace gradcam {
namespace {

using Fault = std::optional<KeyFault>;

/// Of boxes that are turned: an angle stands behind the scores, and the centre says where they are.
Fault turn(BoxLayout& layout) {
  if (layout.format != BoxFormat::kYolov8 && layout.format != BoxFormat::kEndToEnd) {
    return KeyFault{"rotated", "goes with format yolov8 or end-to-end"};
  }
  if (layout.numbers.value_or(BoxNumbers::kCentre) != BoxNumbers::kCentre) {
    return KeyFault{"rotated", "goes with boxes centre"};
  }
  layout.numbers = BoxNumbers::kCentre;
  layout.extra = std::max(layout.extra, 1);
  return std::nullopt;
}

Fault fault_of_offsets(const std::set<std::string>& said, const BoxLayout& layout) {
  const bool raw_heads = layout.format == BoxFormat::kRawHeads;
  for (const char* key : {"anchors", "variances"}) {
    if (said.contains(key) && !raw_heads) return KeyFault{key, "goes with format raw-heads"};
  }
  if (layout.decoded) return std::nullopt;
  if (layout.format != BoxFormat::kYolox && !(raw_heads && !layout.anchors.empty())) {
    return KeyFault{"decoded",
                    "false goes with format yolox, or with raw-heads and their output.anchors"};
  }
  if (said.contains("boxes")) return KeyFault{"boxes", "goes with decoded true"};
  return std::nullopt;
}

}  // namespace

Fault complete_layout(const std::set<std::string>& said, ScoreActivation activation,
                      BoxLayout& layout) {
  if (const Fault fault = fault_of_offsets(said, layout)) return fault;
  if (!entry_of(layout).takes_logits) {
    if (said.contains("background")) {
      return KeyFault{"background", "goes with format raw-heads or detr"};
    }
    if (activation != ScoreActivation::kNone) {
      return KeyFault{"activation",
                      "goes with format raw-heads or detr; the others' scores are 0..1"};
    }
  } else {
    layout.scores = activation;
  }
  if (layout.format == BoxFormat::kDetr && !said.contains("activation")) {
    return KeyFault{"activation",
                    "is missing; allowed: sigmoid (RT-DETR, RF-DETR), softmax (DETR, whose last "
                    "class is the background), none (scores 0..1)"};
  }
  return layout.rotated ? turn(layout) : std::nullopt;
}

}  // namespace gradcam
