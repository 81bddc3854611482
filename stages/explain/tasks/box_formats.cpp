#include "stages/explain/tasks/box_formats.h"

#include <algorithm>
#include <stdexcept>

#include "config/named.h"

namespace gradcam {
namespace {

constexpr int kScoreAndClass = 2;  ///< columns of kEndToEnd behind the box

using Shape = std::span<const std::int64_t>;

/// Without the dimension of the pictures.
Shape of_one_picture(Shape shape) {
  return shape.size() == 3 && shape[0] == 1 ? shape.subspan(1) : shape;
}

/// Which of its formats Ultralytics's exporter wrote.
void settle_ultralytics(BoxLayout& layout, Shape size, std::int64_t labels) {
  const std::int64_t end_to_end = 4 + kScoreAndClass + layout.extra;
  if (numbers_of(layout) == BoxNumbers::kShares) {  // an RT-DETR
    if (size[1] != end_to_end) layout.format = BoxFormat::kDetr;
    return;
  }
  const std::int64_t beside_classes = size[0] - 4 - labels;
  const bool columns = labels > 0 && beside_classes == layout.extra;
  if (!columns && size[1] == end_to_end) {
    layout.format = BoxFormat::kEndToEnd;
    if (layout.rotated) layout.numbers = BoxNumbers::kCentre;
  } else if (!columns && labels > 0 && layout.extra == 0 && size[1] == 4 + labels) {
    layout.format = BoxFormat::kDetr;
  } else if (labels > 0 && layout.extra > 0 && beside_classes > 0) {
    layout.extra = static_cast<int>(beside_classes);
  }
}

}  // namespace

const BoxFormatEntry& entry_of(const BoxLayout& layout) {
  return row_of(kBoxFormatTable, layout.format);
}

BoxNumbers numbers_of(const BoxLayout& layout) {
  return layout.numbers.value_or(entry_of(layout).numbers);
}

void refuse_boxes(Shape shape, const BoxLayout& layout, const std::string& more) {
  std::string found;
  for (const std::int64_t size : shape) found += (found.empty() ? "" : ", ") + std::to_string(size);
  const BoxFormatEntry& format = entry_of(layout);
  std::string wanted(format.wants);
  if (layout.classes > 0) wanted += " with C = " + std::to_string(layout.classes);
  if (layout.extra > 0) wanted += " and " + std::to_string(layout.extra) + " numbers more";
  throw std::runtime_error("detections: the output is [" + found + "]; format " +
                           std::string(format.name) + " wants " + wanted + more);
}

BoxPlaces places_of(Shape shape, const BoxLayout& layout) {
  const Shape size = of_one_picture(shape);
  if (size.size() != 2 || size[0] < 0 || size[1] < 0) refuse_boxes(shape, layout);
  const auto by_box = [&](std::int64_t classes) {
    return BoxPlaces{size[0], static_cast<int>(size[1]), static_cast<int>(classes), size[1], 1};
  };
  if (layout.format == BoxFormat::kEndToEnd) {
    // What stands behind the class, but for an angle, says nothing of the box.
    if (size[1] < 4 + kScoreAndClass + (layout.rotated ? 1 : 0)) refuse_boxes(shape, layout);
    return by_box(layout.classes);
  }
  const std::int64_t others = entry_of(layout).first_class + layout.extra;
  const auto fits = [&](std::int64_t numbers) {
    return layout.classes > 0 ? numbers == others + layout.classes : numbers > others;
  };
  if (layout.format != BoxFormat::kYolov8) {
    if (!fits(size[1])) refuse_boxes(shape, layout);
    return by_box(size[1] - others);
  }
  if (layout.classes <= 0 && size[0] > size[1]) {
    refuse_boxes(shape, layout, ", 4+C <= N where the number of classes is not known");
  }
  if (fits(size[0])) {
    return {size[1], static_cast<int>(size[0]), static_cast<int>(size[0] - others), 1, size[1]};
  }
  if (layout.classes <= 0 || !fits(size[1])) refuse_boxes(shape, layout);
  return by_box(size[1] - others);
}

void settle_format(BoxLayout& layout, Shape shape, std::int64_t labels) {
  const Shape size = of_one_picture(shape);
  if (size.size() != 2) return;
  if (layout.of_ultralytics) settle_ultralytics(layout, size, labels);
  // A yolov8 output is [4+C, N] or [N, 4+C]: the number of labels tells which, if it fits a side.
  const std::int64_t rows = 4 + labels + layout.extra;
  const bool tells = layout.format == BoxFormat::kEndToEnd ||
                     (layout.format == BoxFormat::kYolov8 && (size[0] == rows || size[1] == rows));
  if (labels > 0 && tells) layout.classes = static_cast<int>(labels);
  const bool has_background =
      layout.format == BoxFormat::kDetr && layout.scores == ScoreActivation::kSoftmax;
  if (has_background && layout.background < 0) {
    layout.background = std::max(static_cast<int>(size[1]) - 4 - layout.extra - 1, -1);
  }
}

}  // namespace gradcam
