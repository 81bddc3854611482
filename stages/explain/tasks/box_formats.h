#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "stages/frame/description.h"

/// The formats of detectors' outputs, and where the numbers of each box lie in them. Pure; any
/// thread.
namespace gradcam {

struct BoxFormatEntry {
  std::string_view name;  ///< as a description's `output.format` says it
  BoxFormat value;
  std::string_view wants;  ///< shape and columns, for messages
  int objectness = -1;     ///< its column; -1 = none
  int first_class = 4;     ///< column of the first class score; of kEndToEnd of the only score
  BoxNumbers numbers = BoxNumbers::kCentre;  ///< of a box, unless BoxLayout::numbers says others
  bool takes_logits = false;                 ///< BoxLayout::scores and background go with it
  bool chosen = false;                       ///< by the network: boxes that overlap all count
};

inline constexpr std::array kBoxFormatTable = {
    BoxFormatEntry{.name = "yolox",
                   .value = BoxFormat::kYolox,
                   .wants = "[N, 5+C] (cx, cy, w, h, objectness, C class scores)",
                   .objectness = 4,
                   .first_class = 5},
    BoxFormatEntry{.name = "yolov5",
                   .value = BoxFormat::kYolov5,
                   .wants = "[N, 5+C] (cx, cy, w, h, objectness, C class scores)",
                   .objectness = 4,
                   .first_class = 5},
    BoxFormatEntry{.name = "yolov8",
                   .value = BoxFormat::kYolov8,
                   .wants = "[4+C, N] (cx, cy, w, h, C class scores)"},
    BoxFormatEntry{.name = "raw-heads",
                   .value = BoxFormat::kRawHeads,
                   .wants = "[N, 4+C] (x1, y1, x2, y2, C class scores)",
                   .numbers = BoxNumbers::kCorners,
                   .takes_logits = true},
    BoxFormatEntry{.name = "end-to-end",
                   .value = BoxFormat::kEndToEnd,
                   .wants = "[N, 6] (x1, y1, x2, y2, score, class)",
                   .numbers = BoxNumbers::kCorners,
                   .chosen = true},
    BoxFormatEntry{.name = "detr",
                   .value = BoxFormat::kDetr,
                   .wants = "[N, 4+C] (cx, cy, w, h in 0..1, C class scores)",
                   .numbers = BoxNumbers::kShares,
                   .takes_logits = true,
                   .chosen = true}};

const BoxFormatEntry& entry_of(const BoxLayout& layout);

/// As the layout says, or else its format.
BoxNumbers numbers_of(const BoxLayout& layout);

/// Throws std::runtime_error: the output has this shape, and the format wants another.
[[noreturn]] void refuse_boxes(std::span<const std::int64_t> shape, const BoxLayout& layout,
                               const std::string& more = "");

/// Where the numbers of each box lie in the output, whichever way round that is.
struct BoxPlaces {
  std::int64_t count = 0;  ///< of boxes
  int numbers = 0;         ///< of each
  int classes = 0;         ///< 0 = not to be told
  std::int64_t box_step = 0;
  std::int64_t number_step = 0;

  std::int64_t index(std::int64_t box, int number) const {
    return box * box_step + number * number_step;
  }
};

/// Throws as refuse_boxes() for a shape that is not the format's, as decode() says it.
BoxPlaces places_of(std::span<const std::int64_t> shape, const BoxLayout& layout);

/// Completes the layout by what the shape of the output tells: of a file of Ultralytics its format;
/// the number of classes, where there are `labels` of them; of kDetr with a softmax the background,
/// which is its last class. Once more, it changes nothing.
void settle_format(BoxLayout& layout, std::span<const std::int64_t> shape, std::int64_t labels);

}  // namespace gradcam
