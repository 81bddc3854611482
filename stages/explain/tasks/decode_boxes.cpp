#include "stages/explain/tasks/decode_boxes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace gradcam {
namespace {

/// The columns of a format.
struct Format {
  const char* name;
  const char* wants;
  int objectness;  ///< -1 = none
  int first_class;
  bool corners;  ///< x1, y1, x2, y2, else cx, cy, w, h
};

const Format& format_of(BoxFormat format) {
  static constexpr std::array<Format, 4> kFormats = {{
      // in the order of BoxFormat
      {"yolox", "[N, 5+C] (cx, cy, w, h, objectness, C class scores)", 4, 5, false},
      {"yolov5", "[N, 5+C] (cx, cy, w, h, objectness, C class scores)", 4, 5, false},
      {"yolov8", "[4+C, N] (cx, cy, w, h, C class scores)", -1, 4, false},
      {"raw-heads", "[N, 4+C] (x1, y1, x2, y2, C class scores)", -1, 4, true},
  }};
  return kFormats.at(static_cast<std::size_t>(format));
}

[[noreturn]] void refuse(std::span<const std::int64_t> shape, const BoxLayout& layout,
                         const std::string& more = "") {
  std::string found;
  for (const std::int64_t size : shape) found += (found.empty() ? "" : ", ") + std::to_string(size);
  const Format& format = format_of(layout.format);
  const std::string classes =
      layout.classes > 0 ? " with C = " + std::to_string(layout.classes) : "";
  throw std::runtime_error("detections: the output is [" + found + "]; format " + format.name +
                           " wants " + format.wants + classes + more);
}

[[noreturn]] void refuse_not_finite() {
  throw std::runtime_error("detections: the output holds a NaN or an infinity");
}

/// Where the numbers of each box lie in the output, whichever way round that is.
struct Places {
  std::int64_t count = 0;  ///< of boxes
  int classes = 0;
  std::int64_t box_step = 0;
  std::int64_t number_step = 0;

  std::int64_t index(std::int64_t box, int number) const {
    return box * box_step + number * number_step;
  }
};

Places places_of(std::span<const std::int64_t> shape, const BoxLayout& layout) {
  const auto size = shape.size() == 3 && shape[0] == 1 ? shape.subspan(1) : shape;
  if (size.size() != 2 || size[0] < 0 || size[1] < 0) refuse(shape, layout);
  const int before_classes = format_of(layout.format).first_class;
  const auto fits = [&](std::int64_t numbers) {
    return layout.classes > 0 ? numbers == before_classes + layout.classes
                              : numbers > before_classes;
  };
  const auto classes = [&](std::int64_t numbers) {
    return static_cast<int>(numbers - before_classes);
  };
  const Places box_by_box{size[0], classes(size[1]), size[1], 1};
  if (layout.format != BoxFormat::kYolov8) {
    if (!fits(size[1])) refuse(shape, layout);
    return box_by_box;
  }
  if (layout.classes <= 0 && size[0] > size[1]) {
    refuse(shape, layout, ", 4+C <= N where the number of classes is not known");
  }
  if (fits(size[0])) return {size[1], classes(size[0]), 1, size[1]};
  if (layout.classes <= 0 || !fits(size[1])) refuse(shape, layout);
  return box_by_box;
}

/// The output as boxes of numbers.
struct Boxes : Places {
  std::span<const float> values;

  float at(std::int64_t box, int number) const {
    return values[static_cast<std::size_t>(index(box, number))];
  }
};

Boxes boxes_of(std::span<const float> output, std::span<const std::int64_t> shape,
               const BoxLayout& layout) {
  const Boxes boxes{places_of(shape, layout), output};
  const int numbers = format_of(layout.format).first_class + boxes.classes;
  if (boxes.count * numbers != std::ssize(output)) {
    refuse(shape, layout, ", but the output holds " + std::to_string(output.size()) + " numbers");
  }
  return boxes;
}

/// What the offsets of undecoded boxes start from, cx, cy, w, h, and how far one goes.
struct Origins {
  std::vector<std::array<float, 4>> boxes;
  std::array<float, 4> steps{1, 1, 1, 1};
  float most_growth = std::numeric_limits<float>::infinity();  ///< logarithm of the largest
};

/// Cells of a grid as boxes; their offsets start at a corner.
Origins grid_cells(int input_height, int input_width) {
  Origins cells;
  for (const int stride : {8, 16, 32}) {
    const auto size = static_cast<float>(stride);
    for (int row = 0; row < input_height / stride; ++row) {
      for (int column = 0; column < input_width / stride; ++column) {
        cells.boxes.push_back(
            {static_cast<float>(column) * size, static_cast<float>(row) * size, size, size});
      }
    }
  }
  return cells;
}

/// Empty for boxes in pixels.
Origins origins_of(std::span<const std::int64_t> shape, const BoxLayout& layout, const Boxes& boxes,
                   int input_height, int input_width) {
  if (layout.decoded) return {};
  Origins origins;
  std::string wanted;
  if (layout.format == BoxFormat::kYolox) {
    origins = grid_cells(input_height, input_width);
    wanted = " for an input of " + std::to_string(input_height) + "x" + std::to_string(input_width);
  } else if (layout.format == BoxFormat::kRawHeads && !layout.anchors.empty()) {
    // 1000/16 as torchvision's box coder has it, so that a wild box is no infinite one.
    origins = {layout.anchors, layout.variances, std::log(1000.F / 16)};
    wanted = ", one for each of its anchors";
  } else {
    const bool anchors = layout.format == BoxFormat::kRawHeads;
    refuse(shape, layout, anchors ? " in pixels (decoded), or anchors" : " in pixels (decoded)");
  }
  if (std::ssize(origins.boxes) != boxes.count) {
    refuse(shape, layout,
           ", not decoded with N = " + std::to_string(origins.boxes.size()) + wanted);
  }
  return origins;
}

Box around(float cx, float cy, float width, float height) {
  return {cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2};
}

Box box_at(const Boxes& boxes, std::int64_t box, bool corners, const Origins& origins) {
  std::array<float, 4> n{};
  for (int i = 0; i < 4; ++i) n[static_cast<std::size_t>(i)] = boxes.at(box, i);
  if (!origins.boxes.empty()) {
    const auto& [cx, cy, width, height] = origins.boxes[static_cast<std::size_t>(box)];
    const auto& steps = origins.steps;
    const auto grown = [&](float size, std::size_t i) {
      return size * std::exp(std::min(n.at(i) * steps.at(i), origins.most_growth));
    };
    return around(cx + n[0] * steps[0] * width, cy + n[1] * steps[1] * height, grown(width, 2),
                  grown(height, 3));
  }
  if (corners) return {n[0], n[1], n[2], n[3]};
  return around(n[0], n[1], n[2], n[3]);
}

/// In one pass without branches, so that the compiler can look at many at once.
bool all_finite(std::span<const float> values) {
  bool finite = true;
  for (const float value : values) {
    finite &= std::abs(value) <= std::numeric_limits<float>::max();
  }
  return finite;
}

/// -1 where every class is background.
int best_class(const Boxes& boxes, std::int64_t box, int first_class, int background) {
  int best = -1;
  for (int i = 0; i < boxes.classes; ++i) {
    if (i == background) continue;
    if (best < 0 || boxes.at(box, first_class + i) > boxes.at(box, first_class + best)) best = i;
  }
  return best;
}

/// The share of one class in a softmax over all.
float share_of(const Boxes& boxes, std::int64_t box, int first_class, int index) {
  const float logit = boxes.at(box, first_class + index);
  float sum = 0;
  for (int i = 0; i < boxes.classes; ++i) sum += std::exp(boxes.at(box, first_class + i) - logit);
  return 1 / sum;
}

/// The highest class score of each box, where boxes are columns: row by row, as they lie in memory.
std::vector<float> highest_scores(const Boxes& boxes, int first_class) {
  std::vector<float> highest(static_cast<std::size_t>(boxes.count));
  for (int i = 0; i < boxes.classes; ++i) {
    const float* const row = boxes.values.data() + boxes.index(0, first_class + i);
    for (std::size_t box = 0; box < highest.size(); ++box) {
      highest[box] = i == 0 ? row[box] : std::max(highest[box], row[box]);
    }
  }
  return highest;
}

/// Score and seed; the box is still missing.
Detection scored(const Boxes& boxes, std::int64_t box, const Format& format,
                 const BoxLayout& layout) {
  Detection detection;
  detection.index = best_class(boxes, box, format.first_class, layout.background);
  if (detection.index < 0) return detection;
  const int column = format.first_class + detection.index;
  float class_score = boxes.at(box, column);
  float slope = 1;
  if (layout.scores == ScoreActivation::kSigmoid) {
    class_score = 1 / (1 + std::exp(-class_score));
    slope = class_score * (1 - class_score);
  } else if (layout.scores == ScoreActivation::kSoftmax) {
    class_score = share_of(boxes, box, format.first_class, detection.index);
  }
  float objectness = 1;
  if (format.objectness >= 0) {
    objectness = boxes.at(box, format.objectness);
    detection.by_objectness = {boxes.index(box, format.objectness), class_score};
  }
  detection.score = objectness * class_score;
  detection.by_class = {boxes.index(box, column), objectness * slope};
  return detection;
}

}  // namespace

int classes_in(std::span<const std::int64_t> shape, const BoxLayout& layout) {
  return places_of(shape, layout).classes;
}

std::vector<Detection> decode(std::span<const float> output, std::span<const std::int64_t> shape,
                              const BoxLayout& layout, int input_height, int input_width,
                              float threshold) {
  const Format& format = format_of(layout.format);
  const Boxes boxes = boxes_of(output, shape, layout);
  const Origins origins = origins_of(shape, layout, boxes, input_height, input_width);
  if (layout.background >= boxes.classes) {
    refuse(shape, layout, ", C above the background class " + std::to_string(layout.background));
  }
  if (!all_finite(output)) refuse_not_finite();

  // Most boxes need no look at their classes: a class score is at most 1, so the objectness says
  // that they are too low, or the highest score does.
  const bool columns = boxes.box_step == 1;
  const std::vector<float> highest =
      columns ? highest_scores(boxes, format.first_class) : std::vector<float>();
  std::vector<Detection> detections;
  for (std::int64_t i = 0; i < boxes.count; ++i) {
    if (format.objectness >= 0 && boxes.at(i, format.objectness) < threshold) continue;
    if (columns && highest[static_cast<std::size_t>(i)] < threshold) continue;
    Detection detection = scored(boxes, i, format, layout);
    if (detection.index < 0 || detection.score < threshold) continue;
    detection.box = box_at(boxes, i, format.corners, origins);
    const float size = detection.box.area();
    if (!std::isfinite(size)) {
      throw std::runtime_error(
          "detections: boxes come out infinitely large: do they hold pixels already (decoded)?");
    }
    if (size > 0) detections.push_back(detection);
  }
  return detections;
}

std::vector<Detection> non_maximum_suppression(std::vector<Detection> detections,
                                               float iou_threshold) {
  std::stable_sort(detections.begin(), detections.end(), [](const auto& a, const auto& b) {
    return a.score != b.score ? a.score > b.score : a.index < b.index;
  });
  std::vector<Detection> kept;
  for (const Detection& detection : detections) {
    const bool covered = std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
      return better.index == detection.index && iou(better.box, detection.box) > iou_threshold;
    });
    if (!covered) kept.push_back(detection);
  }
  return kept;
}

Scalar scalar_of(const Detection& detection) {
  if (detection.by_objectness.index < 0) return Scalar::sum({detection.by_class});
  return Scalar::product({detection.by_objectness, detection.by_class});
}

}  // namespace gradcam
