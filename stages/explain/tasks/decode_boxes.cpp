#include "stages/explain/tasks/decode_boxes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "stages/explain/tasks/box_formats.h"

namespace gradcam {
namespace {

constexpr int kMostClasses = 1 << 20;  ///< more than any network tells apart

[[noreturn]] void refuse_not_finite() {
  throw std::runtime_error("detections: the output holds a NaN or an infinity");
}

/// The output as boxes of numbers.
struct Boxes : BoxPlaces {
  std::span<const float> values;

  float at(std::int64_t box, int number) const {
    return values[static_cast<std::size_t>(index(box, number))];
  }
};

Boxes boxes_of(std::span<const float> output, std::span<const std::int64_t> shape,
               const BoxLayout& layout) {
  const Boxes boxes{places_of(shape, layout), output};
  if (boxes.count * boxes.numbers != std::ssize(output)) {
    refuse_boxes(shape, layout,
                 ", but the output holds " + std::to_string(output.size()) + " numbers");
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
    refuse_boxes(shape, layout,
                 anchors ? " in pixels (decoded), or anchors" : " in pixels (decoded)");
  }
  if (std::ssize(origins.boxes) != boxes.count) {
    refuse_boxes(shape, layout,
                 ", not decoded with N = " + std::to_string(origins.boxes.size()) + wanted);
  }
  return origins;
}

/// The upright box around one that is turned around its centre.
Box around(float cx, float cy, float width, float height, float angle = 0) {
  const float cosine = std::abs(std::cos(angle));
  const float sine = std::abs(std::sin(angle));
  const float x = (width * cosine + height * sine) / 2;
  const float y = (width * sine + height * cosine) / 2;
  return {cx - x, cy - y, cx + x, cy + y};
}

/// How the numbers of a box become a rectangle.
struct Geometry {
  Origins origins;
  BoxNumbers numbers = BoxNumbers::kCentre;
  int angle = -1;    ///< its column; -1 = none
  float width = 1;   ///< that shares are of
  float height = 1;  ///< likewise
};

Geometry geometry_of(std::span<const std::int64_t> shape, const BoxLayout& layout,
                     const Boxes& boxes, int input_height, int input_width) {
  const BoxNumbers numbers = numbers_of(layout);
  const bool shares = numbers == BoxNumbers::kShares;
  return {origins_of(shape, layout, boxes, input_height, input_width), numbers,
          layout.rotated ? boxes.numbers - 1 : -1, shares ? static_cast<float>(input_width) : 1.F,
          shares ? static_cast<float>(input_height) : 1.F};
}

Box box_at(const Boxes& boxes, std::int64_t box, const Geometry& geometry) {
  std::array<float, 4> n{};
  for (int i = 0; i < 4; ++i) n[static_cast<std::size_t>(i)] = boxes.at(box, i);
  const Origins& origins = geometry.origins;
  if (!origins.boxes.empty()) {
    const auto& [cx, cy, width, height] = origins.boxes[static_cast<std::size_t>(box)];
    const auto& steps = origins.steps;
    const auto grown = [&](float size, std::size_t i) {
      return size * std::exp(std::min(n.at(i) * steps.at(i), origins.most_growth));
    };
    return around(cx + n[0] * steps[0] * width, cy + n[1] * steps[1] * height, grown(width, 2),
                  grown(height, 3));
  }
  if (geometry.numbers == BoxNumbers::kCorners) return {n[0], n[1], n[2], n[3]};
  return around(n[0] * geometry.width, n[1] * geometry.height, n[2] * geometry.width,
                n[3] * geometry.height, geometry.angle < 0 ? 0 : boxes.at(box, geometry.angle));
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

/// Of a box that the network chose: its score and its class stand side by side. A class below 0, as
/// in rows that only fill the output up, is no box.
Detection chosen(const Boxes& boxes, std::int64_t box, int score) {
  const float index = boxes.at(box, score + 1);
  if (index != std::trunc(index) || index > static_cast<float>(kMostClasses)) {
    throw std::runtime_error("detections: box " + std::to_string(box) + " is said to be of class " +
                             std::to_string(index) + ", which is no whole number from 0");
  }
  Detection detection;
  detection.index = static_cast<int>(std::max(index, -1.F));
  detection.score = boxes.at(box, score);
  detection.by_class = {boxes.index(box, score), 1};
  return detection;
}

/// Score and seed; the box is still missing. Index -1: there is none.
Detection scored(const Boxes& boxes, std::int64_t box, const BoxLayout& layout) {
  const BoxFormatEntry& format = entry_of(layout);
  if (layout.format == BoxFormat::kEndToEnd) return chosen(boxes, box, format.first_class);
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
  const BoxFormatEntry& format = entry_of(layout);
  const Boxes boxes = boxes_of(output, shape, layout);
  const Geometry geometry = geometry_of(shape, layout, boxes, input_height, input_width);
  if (layout.background >= 0 && layout.background >= boxes.classes) {
    refuse_boxes(shape, layout,
                 ", C above the background class " + std::to_string(layout.background));
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
    Detection detection = scored(boxes, i, layout);
    if (detection.index < 0 || detection.score < threshold) continue;
    detection.box = box_at(boxes, i, geometry);
    for (int n = 0; n < 4; ++n) detection.box_numbers.at(n) = boxes.index(i, n);
    const float size = detection.box.area();
    if (!std::isfinite(size)) {
      throw std::runtime_error(
          "detections: boxes come out infinitely large: do they hold pixels already (decoded)?");
    }
    if (size > 0) detections.push_back(detection);
  }
  return detections;
}

void require_plausible(std::span<const float> output, std::span<const std::int64_t> shape,
                       const BoxLayout& layout) {
  const BoxFormatEntry& format = entry_of(layout);
  const Boxes boxes = boxes_of(output, shape, layout);
  const BoxNumbers numbers = numbers_of(layout);
  std::int64_t reversed = 0;
  float largest = 0;
  float highest = 0;
  const int scores = layout.format == BoxFormat::kEndToEnd ? 1 : boxes.classes;
  for (std::int64_t i = 0; i < boxes.count; ++i) {
    if (boxes.at(i, 2) < boxes.at(i, 0) || boxes.at(i, 3) < boxes.at(i, 1)) ++reversed;
    for (int n = 0; n < 4; ++n) largest = std::max(largest, std::abs(boxes.at(i, n)));
    for (int n = 0; n < scores; ++n) {
      highest = std::max(highest, boxes.at(i, format.first_class + n));
    }
  }
  const std::string name = "detections: format " + std::string(format.name) + " ";
  if (numbers == BoxNumbers::kCorners && layout.decoded && 2 * reversed > boxes.count) {
    throw std::runtime_error(name + "wants corners x1, y1, x2, y2, and of " +
                             std::to_string(boxes.count) + " boxes " + std::to_string(reversed) +
                             " have x2 < x1 or y2 < y1; output.boxes says what else they hold");
  }
  constexpr float kMostShare = 4;  // boxes may reach beyond the picture
  if (numbers == BoxNumbers::kShares && largest > kMostShare) {
    throw std::runtime_error(name + "wants boxes in shares 0..1 of the picture, and theirs reach " +
                             std::to_string(largest) + "; output.boxes says what else they hold");
  }
  constexpr float kMostScore = 1.01F;  // 1, rounded
  if (layout.scores == ScoreActivation::kNone && highest > kMostScore) {
    const std::string key = format.takes_logits ? "activation says what they are"
                            : format.chosen     ? "format says what they are"
                                                : "extra says how many numbers are no scores";
    throw std::runtime_error(name + "wants scores 0..1, and these reach " +
                             std::to_string(highest) + "; output." + key);
  }
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
