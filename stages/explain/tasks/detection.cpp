#include <algorithm>

#include "stages/explain/tasks/box_formats.h"
#include "stages/explain/tasks/class_scores.h"
#include "stages/explain/tasks/decode_boxes.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

constexpr std::size_t kMostBoxes = 10;  ///< that are explained, each by a gradient of its own
constexpr float kNmsIou = 0.45F;        ///< of YOLOX's and Ultralytics' demos

int count_classes(OutputShape shape, const ModelDescription& description) {
  return classes_in(shape, description.boxes);
}

void settle(ModelDescription& description, OutputShape shape) {
  settle_format(description.boxes, shape, std::ssize(description.labels));
}

std::vector<Detection> boxes_of(const OutputView& output, const ModelDescription& description,
                                double threshold) {
  return decode(output.values, output.shape, description.boxes, description.input_height,
                description.input_width, static_cast<float>(threshold));
}

void check_boxes(const OutputView& output, const ModelDescription& description) {
  boxes_of(output, description, /*threshold=*/0);
  require_plausible(output.values, output.shape, description.boxes);
}

/// Which of the boxes, best first, are explained.
std::vector<std::size_t> chosen_boxes(const std::vector<DetectedObject>& objects,
                                      const TargetChoice& target) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < objects.size() && chosen.size() < kMostBoxes; ++i) {
    const bool wanted = target.all || (target.box > 0 && objects[i].id == target.box) ||
                        (target.index >= 0 && objects[i].index == target.index);
    if (wanted) chosen.push_back(i);
  }
  if (target.all || target.box > 0 || target.index >= 0) return chosen;
  const auto first = static_cast<std::size_t>(std::max(target.rank - 1, 0));
  const auto last = target.rank > 0 ? first + 1 : static_cast<std::size_t>(target.best);
  for (std::size_t i = first; i < std::min(last, objects.size()); ++i) chosen.push_back(i);
  return chosen;
}

OutputReading read(const OutputView& output, const ModelDescription& description,
                   const ReadingOptions& options) {
  // Where the network chose the boxes, those that overlap are several objects.
  constexpr float kAnyOverlap = 2;  // beyond what is possible
  const auto detections =
      non_maximum_suppression(boxes_of(output, description, description.threshold),
                              entry_of(description.boxes).chosen ? kAnyOverlap : kNmsIou);
  std::vector<std::int64_t> ids(detections.size(), 0);
  if (options.memory != nullptr) ids = options.memory->tracker.update(detections);
  OutputReading reading;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const Detection& found = detections[i];
    reading.objects.push_back({found.box, found.index, label_of(found.index, description.labels),
                               found.score, ids[i], false});
    if (i >= kTopShown) continue;
    reading.top.push_back({found.index, reading.objects.back().label, found.score});
  }
  for (const std::size_t i : chosen_boxes(reading.objects, options.target)) {
    DetectedObject& object = reading.objects[i];
    object.explained = true;
    const auto& numbers = detections[i].box_numbers;
    reading.targets.push_back({{object.index, object.label, object.score},
                               scalar_of(detections[i]),
                               object.box,
                               {numbers.begin(), numbers.end()}});
  }
  return reading;
}

TargetChoice parse(const TargetText& target) {
  const std::string& text = target.text;
  if (text == "box") return {};
  if (text == "all") return {.all = true};
  if (text.rfind("box:", 0) == 0) {
    const auto id = whole_number(text.substr(4));
    if (id && *id >= 1) return {.box = *id};
    refuse_target(text, "allowed is box:ID, with the number that a box shows");
  }
  if (const auto top = parse_top(text, /*most=*/0)) return *top;  // it counts boxes, not classes
  return parse_class(target, "auto, box, box:ID, all, top:K");
}

}  // namespace

/// Boxes. Their scores come from places that are not averaged: the mean of the gradients says
/// little, and hirescam lets each place count by itself.
extern const Task kDetection = {.name = "detection",
                                .networks = "detectors",
                                .usual_method = "hirescam",
                                .boxes = true,
                                .threshold = true,
                                .classes = &count_classes,
                                .complete = &settle,
                                .check = &check_boxes,
                                .read = &read,
                                .parse_target = &parse};

}  // namespace gradcam
