#include "stages/explain/model/ultralytics.h"

#include <nlohmann/json.hpp>

#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

using nlohmann::json;

json parsed(const std::string& config) {
  return json::parse(config, nullptr, /*allow_exceptions=*/false);
}

/// imgsz: [height, width], or one number for both.
std::optional<std::pair<int, int>> size_in(const json& document) {
  const auto found = document.find("imgsz");
  if (found == document.end()) return std::nullopt;
  const json both = found->is_array() ? *found : json{*found, *found};
  const auto is_size = [](const json& side) {
    return side.is_number_integer() && side >= 1 && side <= 8192;
  };
  if (both.size() != 2 || !is_size(both[0]) || !is_size(both[1])) return std::nullopt;
  return std::pair(both[0].get<int>(), both[1].get<int>());
}

}  // namespace

std::vector<std::string> ultralytics_labels(const std::string& config) {
  const json document = parsed(config);
  if (!document.is_object() || !document.contains("names")) return {};
  const json& names = document["names"];
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const json name = names.is_object() ? names.value(std::to_string(i), json()) : json();
    if (!name.is_string()) return {};
    labels.push_back(name.get<std::string>());
  }
  return labels;
}

std::optional<ModelDescription> ultralytics_classifier(const std::string& config) {
  const json document = parsed(config);
  if (!document.is_object() || document.value("task", json()) != "classify") return std::nullopt;
  const auto size = size_in(document);
  if (!size) return std::nullopt;
  ModelDescription description;
  std::tie(description.input_height, description.input_width) = *size;
  description.resize = ResizeMode::kCenterCrop;
  description.mean = {0, 0, 0};
  description.std = {1, 1, 1};
  description.task = &find_task("classification");
  description.activation = ScoreActivation::kNone;
  description.activation_given = true;
  description.labels = ultralytics_labels(config);
  return description;
}

}  // namespace gradcam
