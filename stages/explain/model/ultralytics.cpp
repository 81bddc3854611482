#include "stages/explain/model/ultralytics.h"

#include <yaml-cpp/yaml.h>

#include <exception>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <tuple>
#include <utility>
#include <vector>

#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

using Metadata = std::map<std::string, std::string>;

constexpr std::size_t kLongestText = 1 << 22;  // names of 21 000 classes are half a megabyte

/// A null node for what is no YAML.
YAML::Node parsed(const std::string& text) {
  if (text.size() > kLongestText) return {};
  try {
    return YAML::Load(text);
  } catch (const std::exception&) {
    return {};
  }
}

/// The value of a key; an empty text if there is none.
const std::string& at(const Metadata& metadata, const std::string& key) {
  static const std::string kNone;
  const auto found = metadata.find(key);
  return found != metadata.end() ? found->second : kNone;
}

template <class T>
std::optional<T> value_of(const YAML::Node& node) {
  T value{};
  if (!node.IsScalar() || !YAML::convert<T>::decode(node, value)) return std::nullopt;
  return value;
}

/// A whole number, or a list of such; none of them if one is something else.
std::vector<int> whole_numbers(const std::string& text) {
  const YAML::Node node = parsed(text);
  std::vector<int> numbers;
  const auto add = [&](const YAML::Node& element) {
    const auto number = value_of<int>(element);
    if (number) numbers.push_back(*number);
    return number.has_value();
  };
  if (node.IsScalar()) add(node);
  if (!node.IsSequence()) return numbers;
  for (const YAML::Node& element : node) {
    if (!add(element)) return {};
  }
  return numbers;
}

/// By class index, of a list or of a map from 0 up in any order; none if one is missing.
std::vector<std::string> names_in(const YAML::Node& names) {
  std::map<int, std::string> by_class;
  int place = 0;
  for (const auto& entry : names) {
    const bool numbered = names.IsMap();
    const auto name = value_of<std::string>(numbered ? entry.second : entry);
    const auto index = numbered ? value_of<int>(entry.first) : place;
    if (!name || !index) return {};
    by_class.emplace(*index, *name);
    ++place;
  }
  std::vector<std::string> labels;
  for (auto& [index, name] : by_class) {
    if (index != std::ssize(labels)) return {};
    labels.push_back(std::move(name));
  }
  return labels;
}

std::vector<std::string> labels_of(const Metadata& metadata) {
  std::vector<std::string> labels = names_in(parsed(at(metadata, "names")));
  if (!labels.empty() || at(metadata, "model_type") != "YOLO") return labels;
  std::istringstream words(at(metadata, "labels"));  // OpenVINO's model_info
  for (std::string word; words >> word;) labels.push_back(word);
  return labels;
}

/// Height and width. `imgsz` has both, or one number for both; YOLOv5's `shape` is 1x3xHxW.
std::optional<std::pair<int, int>> size_of(const Metadata& metadata) {
  std::vector<int> size = whole_numbers(at(metadata, "imgsz"));
  if (size.size() == 1) size.push_back(size[0]);
  if (size.empty()) {
    size = whole_numbers(at(metadata, "shape"));
    if (size.size() == 4) size.erase(size.begin(), size.begin() + 2);
  }
  const auto is_side = [](int side) { return side >= 1 && side <= 8192; };
  if (size.size() != 2 || !is_side(size[0]) || !is_side(size[1])) return std::nullopt;
  return std::pair(size[0], size[1]);
}

/// RGB 0..1.
ModelDescription of_plain_pictures(const Metadata& metadata) {
  ModelDescription description;
  description.mean = {0, 0, 0};
  description.std = {1, 1, 1};
  if (at(metadata, "channels") == "1") description.color = ColorOrder::kGray;
  return description;
}

void read_task(ModelDescription& description, const char* task) {
  description.task = &find_task(task);
  description.activation = description.task->activation;
  description.threshold = description.task->usual_threshold;
}

/// A softmax is part of its classifiers.
void read_as_classifier(ModelDescription& description) {
  read_task(description, "classification");
  description.resize = ResizeMode::kCenterCrop;
  description.activation = ScoreActivation::kNone;
  description.activation_given = true;
}

void read_letterboxed(ModelDescription& description) {
  description.resize = ResizeMode::kLetterbox;
  description.antialias = false;  // by cv2.resize
}

/// An RT-DETR gives shares of a picture that was stretched. Files of before 2026 tell it by their
/// title alone; the class scores of their boxes are not chosen yet.
void read_as_rt_detr(ModelDescription& description, bool chosen) {
  description.resize = ResizeMode::kStretch;
  description.boxes.format = chosen ? BoxFormat::kEndToEnd : BoxFormat::kDetr;
  description.boxes.numbers = BoxNumbers::kShares;
}

void read_as_detector(ModelDescription& description, const Metadata& metadata) {
  constexpr double kThreshold = 0.25;  // of its predictors
  read_task(description, "detection");
  read_letterboxed(description);
  description.threshold = kThreshold;
  BoxLayout& boxes = description.boxes;
  boxes.of_ultralytics = true;
  boxes.format = BoxFormat::kYolov8;
  const std::string& task = at(metadata, "task");
  if (task == "segment") boxes.extra = 32;  // coefficients of a mask
  if (task == "pose") {
    boxes.extra = 17 * 3;  // COCO's points: x, y, seen
    const std::vector<int> points = whole_numbers(at(metadata, "kpt_shape"));
    const auto few = [](int count) { return count >= 1 && count <= 1000; };
    if (points.size() == 2 && few(points[0]) && few(points[1])) boxes.extra = points[0] * points[1];
  }
  boxes.rotated = task == "obb";
  if (boxes.rotated) boxes.extra = 1;
  const bool decoder = at(metadata, "head") == "RTDETRDecoder";
  if (decoder || at(metadata, "description").find("rtdetr") != std::string::npos) {
    read_as_rt_detr(description, decoder);
  }
}

}  // namespace

std::map<std::string, std::string> ultralytics_metadata(const std::string& text) {
  using nlohmann::json;
  Metadata metadata;
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_object()) {
    for (const auto& [key, value] : document.items()) {
      metadata[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    return metadata;
  }
  const YAML::Node root = parsed(text);
  if (!root.IsMap()) return {};
  for (const auto& entry : root) {
    const auto key = value_of<std::string>(entry.first);
    if (!key) continue;
    YAML::Emitter flow;
    flow.SetSeqFormat(YAML::Flow);
    flow.SetMapFormat(YAML::Flow);
    if (!entry.second.IsScalar()) flow << entry.second;
    metadata[*key] = entry.second.IsScalar() ? entry.second.Scalar() : flow.c_str();
  }
  return metadata;
}

std::optional<ModelDescription> ultralytics_description(const Metadata& metadata) {
  const auto size = size_of(metadata);
  if (!size) return std::nullopt;
  ModelDescription description = of_plain_pictures(metadata);
  const std::string& task = at(metadata, "task");
  if (task == "classify") {
    read_as_classifier(description);
  } else if (task == "detect" || task == "segment" || task == "pose" || task == "obb") {
    read_as_detector(description, metadata);
  } else if (task == "semantic") {
    read_task(description, "segmentation");
    read_letterboxed(description);
  } else {
    return std::nullopt;
  }
  std::tie(description.input_height, description.input_width) = *size;
  description.labels = labels_of(metadata);
  return description;
}

void fill_by_ultralytics(const Metadata& metadata, ModelDescription& description) {
  if (description.labels.empty()) description.labels = labels_of(metadata);
  const auto size = size_of(metadata);
  if (!description.assumed || !size) return;
  std::tie(description.input_height, description.input_width) = *size;
}

}  // namespace gradcam
