#include "stages/explain/model/read_description.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/model/box_layout_rules.h"
#include "stages/explain/model/labels.h"
#include "stages/explain/model/text_file.h"
#include "stages/explain/model/ultralytics.h"
#include "stages/explain/tasks/box_formats.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::map<std::string, BoxFormat> formats() {
  std::map<std::string, BoxFormat> all;
  for (const BoxFormatEntry& format : kBoxFormatTable) all.emplace(format.name, format.value);
  return all;
}

constexpr std::array kKeysOfBoxes = {"format", "anchors", "variances", "background",
                                     "boxes",  "extra",   "rotated"};

template <typename T>
std::string names_in(const std::map<std::string, T>& values) {
  std::vector<std::string> names;
  names.reserve(values.size());
  for (const auto& [name, value] : values) names.push_back(name);
  return listed(names);
}

std::string names_of_tasks_with_boxes() {
  std::vector<std::string> names;
  for (const Task* task : all_tasks()) {
    if (task->boxes) names.emplace_back(task->name);
  }
  return listed(names);
}

/// Reads one key after another; every error names the description, the key and what is allowed.
class Reader {
 public:
  Reader(std::string origin, std::string folder)
      : origin_(std::move(origin)), folder_(std::move(folder)) {}

  void read(const json& document, ModelDescription& d) const {
    const std::map<std::string, std::function<void(const json&)>> keys = {
        {"input_size", [&](const json& v) { input_size(v, d); }},
        {"resize",
         [&](const json& v) {
           d.resize = choice<ResizeMode>("resize", v,
                                         {{"stretch", ResizeMode::kStretch},
                                          {"letterbox", ResizeMode::kLetterbox},
                                          {"center-crop", ResizeMode::kCenterCrop}});
         }},
        {"antialias", [&](const json& v) { d.antialias = boolean("antialias", v); }},
        {"pad_value", [&](const json& v) { d.pad_value = whole("pad_value", v, 0, 255); }},
        {"pad_align",
         [&](const json& v) {
           d.pad_align = choice<PadAlign>(
               "pad_align", v, {{"center", PadAlign::kCenter}, {"top-left", PadAlign::kTopLeft}});
         }},
        {"crop", [&](const json& v) { crop(v, d); }},
        {"color",
         [&](const json& v) {
           d.color = choice<ColorOrder>(
               "color", v,
               {{"rgb", ColorOrder::kRgb}, {"bgr", ColorOrder::kBgr}, {"gray", ColorOrder::kGray}});
         }},
        {"scale", [&](const json& v) { d.scale = positive("scale", v); }},
        {"mean", [&](const json& v) { d.mean = triple("mean", v, false); }},
        {"std", [&](const json& v) { d.std = triple("std", v, true); }},
        {"task", [&](const json& v) { task(v, d); }},
        {"layer", [&](const json& v) { d.layers = strings("layer", v); }},
        {"labels", [&](const json& v) { d.labels = strings("labels", v); }},
        {"labels_file",
         [&](const json& v) {
           d.labels =
               read_labels((fs::path(folder_) / text("labels_file", v)).string(), ExitCode::kModel);
         }},
        {"output", [&](const json& v) { output(v, d); }},
        {"name", [&](const json& v) { d.name = text("name", v); }},
        {"threshold", [&](const json& v) { d.threshold = fraction("threshold", v); }},
        {"tokens", [&](const json& v) { tokens(v, d); }},
        {"source", ignore()},
        {"licence", ignore()},
        {"note", [&](const json& v) { d.note = text("note", v); }},
        {"verified", ignore()},
        {"stamp", ignore()}};
    each(document, keys, "");
  }

 private:
  using Keys = std::map<std::string, std::function<void(const json&)>>;

  [[noreturn]] void fail(const std::string& key, const std::string& allowed) const {
    throw UserError(ExitCode::kModel, origin_ + ": key '" + key + "': " + allowed);
  }

  static std::function<void(const json&)> ignore() {
    return [](const json&) {};
  }

  void each(const json& object, const Keys& keys, const std::string& prefix) const {
    if (!object.is_object()) {
      fail(prefix.empty() ? "(all)" : prefix.substr(0, prefix.size() - 1), "must be a JSON object");
    }
    for (const auto& [key, value] : object.items()) {
      const auto known = keys.find(key);
      if (known == keys.end()) {
        fail(prefix + key, "unknown; allowed: " + names_in(keys));
      }
      known->second(value);
    }
  }

  template <typename T>
  T choice(const std::string& key, const json& v, const std::map<std::string, T>& values) const {
    if (v.is_string()) {
      const auto found = values.find(v.get<std::string>());
      if (found != values.end()) return found->second;
    }
    fail(key, v.dump() + " is not one of " + names_in(values));
  }

  bool boolean(const std::string& key, const json& v) const {
    if (!v.is_boolean()) fail(key, "must be true or false");
    return v.get<bool>();
  }

  int whole(const std::string& key, const json& v, int low, int high) const {
    if (!v.is_number_integer() || v.get<std::int64_t>() < low || v.get<std::int64_t>() > high) {
      fail(key, v.dump() + " is not a whole number " + std::to_string(low) + ".." +
                    std::to_string(high));
    }
    return v.get<int>();
  }

  double positive(const std::string& key, const json& v) const {
    if (!v.is_number() || v.get<double>() <= 0) fail(key, v.dump() + " is not a number above 0");
    return v.get<double>();
  }

  std::string text(const std::string& key, const json& v) const {
    if (!v.is_string()) fail(key, "must be a string");
    return v.get<std::string>();
  }

  std::vector<std::string> strings(const std::string& key, const json& v) const {
    if (v.is_string()) return {v.get<std::string>()};
    if (!v.is_array()) fail(key, "must be a string or a list of strings");
    std::vector<std::string> values;
    for (const json& element : v) values.push_back(text(key, element));
    return values;
  }

  template <typename Numbers>
  Numbers numbers(const std::string& key, const json& v, const std::string& how_many) const {
    const bool good = v.is_array() && v.size() == Numbers().size() &&
                      std::all_of(v.begin(), v.end(), [](const json& n) { return n.is_number(); });
    if (!good) fail(key, "must be a list of " + how_many + " numbers");
    return v.get<Numbers>();
  }

  /// One number counts for every channel.
  std::array<double, 3> triple(const std::string& key, const json& v, bool above_zero) const {
    if (v.is_number()) return triple(key, json::array({v, v, v}), above_zero);
    if (v.is_array() && v.size() == 1)
      return triple(key, json::array({v[0], v[0], v[0]}), above_zero);
    const auto values = numbers<std::array<double, 3>>(key, v, "three");
    for (const json& number : v) {
      if (above_zero) positive(key, number);
    }
    return values;
  }

  void input_size(const json& v, ModelDescription& d) const {
    if (!v.is_array() || v.size() != 2) fail("input_size", "must be [height, width]");
    d.input_height = whole("input_size", v[0], 1, 8192);
    d.input_width = whole("input_size", v[1], 1, 8192);
  }

  void crop(const json& v, ModelDescription& d) const {
    const std::string allowed =
        "must be [top, left, bottom, right] in fractions, 0 <= top < bottom <= 1, "
        "0 <= left < right <= 1";
    if (!v.is_array() || v.size() != 4) fail("crop", allowed);
    for (std::size_t i = 0; i < 4; ++i) {
      if (!v[i].is_number()) fail("crop", allowed);
      d.crop[i] = v[i].get<double>();
    }
    const auto [top, left, bottom, right] = d.crop;
    const bool good =
        0 <= top && top < bottom && bottom <= 1 && 0 <= left && left < right && right <= 1;
    if (!good) fail("crop", allowed);
  }

  double fraction(const std::string& key, const json& v) const {
    if (!v.is_number() || v.get<double>() < 0 || v.get<double>() > 1) {
      fail(key, v.dump() + " is not a number 0..1");
    }
    return v.get<double>();
  }

  void tokens(const json& v, ModelDescription& d) const {
    TokenGrid grid;
    const Keys keys = {
        {"drop", [&](const json& s) { grid.drop = whole("tokens.drop", s, 0, 1000); }},
        {"grid", [&](const json& s) {
           if (!s.is_array() || s.size() != 2) fail("tokens.grid", "must be [height, width]");
           grid.height = whole("tokens.grid", s[0], 1, 1024);
           grid.width = whole("tokens.grid", s[1], 1, 1024);
         }}};
    each(v, keys, "tokens.");
    if (grid.height == 0) fail("tokens.grid", "is missing: [height, width] of the places");
    d.tokens = grid;
  }

  void task(const json& v, ModelDescription& d) const {
    std::map<std::string, const Task*> by_name;
    for (const Task* task : all_tasks()) by_name.emplace(task->name, task);
    d.task = choice("task", v, by_name);
    d.activation = d.task->activation;
    d.threshold = d.task->usual_threshold;
  }

  void output(const json& v, ModelDescription& d) const {
    const Keys keys = {
        {"select", [&](const json& s) { d.output = select(s); }},
        {"format", [&](const json& s) { d.boxes.format = choice("output.format", s, formats()); }},
        {"decoded", [&](const json& s) { d.boxes.decoded = boolean("output.decoded", s); }},
        {"anchors", [&](const json& s) { d.boxes.anchors = anchors(s); }},
        {"variances", [&](const json& s) { d.boxes.variances = four("output.variances", s); }},
        {"background",
         [&](const json& s) { d.boxes.background = whole("output.background", s, 0, 100000); }},
        {"boxes",
         [&](const json& s) {
           d.boxes.numbers = choice<BoxNumbers>("output.boxes", s,
                                                {{"corners", BoxNumbers::kCorners},
                                                 {"centre", BoxNumbers::kCentre},
                                                 {"shares", BoxNumbers::kShares}});
         }},
        {"extra", [&](const json& s) { d.boxes.extra = whole("output.extra", s, 0, 100000); }},
        {"rotated", [&](const json& s) { d.boxes.rotated = boolean("output.rotated", s); }},
        {"activation", [&](const json& s) {
           d.activation = choice<ScoreActivation>("output.activation", s,
                                                  {{"softmax", ScoreActivation::kSoftmax},
                                                   {"sigmoid", ScoreActivation::kSigmoid},
                                                   {"none", ScoreActivation::kNone}});
           d.activation_given = true;
         }}};
    each(v, keys, "output.");
    std::set<std::string> said;
    for (const auto& entry : v.items()) said.insert(entry.key());
    if (!task_of(d).boxes) {
      for (const char* key : kKeysOfBoxes) {
        if (said.contains(key)) {
          fail(std::string("output.") + key, "goes with task " + names_of_tasks_with_boxes());
        }
      }
      return;
    }
    if (!said.contains("format")) {
      fail("output.format", "is missing; allowed: " + names_in(formats()));
    }
    if (const auto fault = complete_layout(said, d.activation, d.boxes)) {
      fail("output." + fault->key, fault->allowed);
    }
  }

  /// By place, by key, or several of these.
  OutputChoice select(const json& v) const {
    OutputChoice chosen;
    if (v.is_array()) {
      if (v.size() < 2) fail("output.select", "a list must name two tensors or more");
      for (const json& part : v) chosen.parts.push_back(select(part));
    } else if (v.is_string()) {
      chosen.name = text("output.select", v);
    } else {
      chosen.index = whole("output.select", v, 0, 1000);
    }
    return chosen;
  }

  std::array<float, 4> four(const std::string& key, const json& v) const {
    return numbers<std::array<float, 4>>(key, v, "four");
  }

  /// A list, or the name of a JSON file that holds it.
  std::vector<std::array<float, 4>> anchors(const json& v) const {
    if (v.is_string()) {
      const std::string path = (fs::path(folder_) / v.get<std::string>()).string();
      const json list = json::parse(read_file(path, ExitCode::kModel, "anchors"), nullptr,
                                    /*allow_exceptions=*/false);
      if (!list.is_array()) fail("output.anchors", "'" + path + "' holds no JSON list");
      return anchors(list);
    }
    if (!v.is_array() || v.empty()) {
      fail("output.anchors", "must be a list of [cx, cy, w, h] in pixels, or a file that holds it");
    }
    std::vector<std::array<float, 4>> boxes;
    boxes.reserve(v.size());
    for (const json& box : v) boxes.push_back(four("output.anchors", box));
    return boxes;
  }

  std::string origin_;
  std::string folder_;
};

}  // namespace

ModelDescription parse_description(const std::string& text, const std::string& origin,
                                   const std::string& folder, const ModelDescription& usual) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::parse_error& error) {
    throw UserError(ExitCode::kModel,
                    origin + ": not valid JSON (byte " + std::to_string(error.byte) + ")");
  } catch (const json::out_of_range&) {
    throw UserError(ExitCode::kModel, origin + ": holds a number that is too large");
  }
  // The task decides the default activation, which output.activation may overrule, so it comes
  // first.
  ModelDescription description = usual;
  const Reader reader(origin, folder);
  if (document.is_object() && document.contains("task")) {
    reader.read(json{{"task", document["task"]}}, description);
    document.erase("task");
  }
  if (task_of(description).boxes && !document.contains("output")) {
    document["output"] = json::object();  // is read to say what it lacks
  }
  reader.read(document, description);
  return description;
}

ModelDescription find_description(const std::string& model_path, const std::string& embedded,
                                  const std::map<std::string, std::string>& metadata,
                                  const ModelDescription& usual) {
  const fs::path beside = fs::path(model_path).replace_extension(".json");
  const std::string folder = fs::path(model_path).parent_path().string();
  ModelDescription description = usual;
  std::error_code error;  // one that may not be looked at is none
  if (fs::is_regular_file(beside, error)) {
    description = parse_description(read_file(beside.string(), ExitCode::kModel, "description"),
                                    "description '" + beside.string() + "'", folder, usual);
  } else if (!embedded.empty()) {
    description = parse_description(embedded, "description in '" + model_path + "'", folder, usual);
  } else if (const auto own = ultralytics_description(metadata)) {
    description = *own;
    if (usual.scale == 1) description.scale = 1;  // it takes pixels as they are
    if (usual.color == ColorOrder::kGray) description.color = usual.color;
  } else {
    description.assumed = usual.task == nullptr;  // unless the file itself says it
  }
  fill_by_ultralytics(metadata, description);
  return description;
}

}  // namespace gradcam
