#include "stages/explain/import/layer_names.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "stages/explain/import/onnx_modules.h"
#include "stages/explain/import/shared_modules.h"

namespace gradcam {
namespace {

/// "layer4.2" and "Relu_1" of a node in it.
struct Place {
  std::string module;  ///< "" = none is known
  std::string node;
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

/// "/layer4/layer4.2/relu_2/Relu": a part that repeats the one in front of it replaces it.
Place place_in_scopes(const std::string& name) {
  const auto parts = split(name.substr(1), '/');
  Place place;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const bool repeats = i > 0 && parts[i].starts_with(parts[i - 1] + ".");
    const std::string own = repeats ? parts[i].substr(parts[i - 1].size() + 1) : parts[i];
    place.module += (place.module.empty() ? "" : ".") + own;
  }
  place.node = parts.empty() ? name : parts.back();
  return place;
}

/// In front of the path that OpenVINO's converter of TorchScript gives.
constexpr std::string_view kModule = "__module.";

/// "Relu_123" of a Relu: OpenVINO counts all nodes that a process makes. What it moves in front of
/// a Transpose takes over that one's name.
bool is_counted(const std::string& name, const std::string& type) {
  const std::size_t line = std::min(name.rfind('_'), name.size());
  const std::string counted = name.substr(0, line);
  if (counted != type && counted != "Transpose") return false;
  const std::string number = name.substr(std::min(line + 1, name.size()));
  return !number.empty() &&
         std::ranges::all_of(number, [](unsigned char c) { return std::isdigit(c) != 0; });
}

Place place_of(const ov::Node& node) {
  const std::string& name = node.get_friendly_name();
  if (const std::string module = noted_module(node); !module.empty()) {
    constexpr std::string_view kNode = "node_";
    return {module, name.starts_with(kNode) ? name.substr(kNode.size()) : name};
  }
  if (name.starts_with(kModule)) {
    const std::size_t slash = std::min(name.find('/'), name.size());
    const std::string module = name.substr(kModule.size(), slash - kModule.size());
    return {module, name.substr(std::min(name.rfind('/') + 1, name.size()))};
  }
  if (name.size() > 1 && name[0] == '/') return place_in_scopes(name);
  return {"", name};
}

/// For modules_by_caller(): other converters name nodes after their callers themselves, and in
/// their files nothing is known to it. What has another name than a counted one was called by no
/// module.
std::optional<std::string> module_by_openvino(const ov::Node& node) {
  const std::string& name = node.get_friendly_name();
  if (name.starts_with(kModule)) return place_of(node).module;
  if (!name.starts_with("aten::")) return std::nullopt;
  return "";
}

/// "layer4.2.relu" lies in "layer4.2" and "layer4": the outermost first.
std::vector<std::string> modules_around(const std::string& module) {
  std::vector<std::string> all;
  for (std::size_t dot = module.find('.'); dot != std::string::npos;
       dot = module.find('.', dot + 1)) {
    all.push_back(module.substr(0, dot));
  }
  if (!module.empty()) all.push_back(module);
  return all;
}

}  // namespace

std::map<const ov::Node*, std::vector<std::string>> layer_names(
    const std::vector<std::shared_ptr<ov::Node>>& nodes) {
  const auto by_caller = modules_by_caller(nodes, module_by_openvino);
  const auto find_place = [&](const ov::Node& node) {
    Place place = place_of(node);
    if (const auto found = by_caller.find(&node); found != by_caller.end()) {
      place.module = found->second;
    }
    return place;
  };
  std::map<std::string, const ov::Node*> ends;  // by module
  std::map<std::string, int> counts;            // nodes by module
  for (const auto& node : nodes) {
    for (const std::string& module : modules_around(find_place(*node).module)) {
      ends[module] = node.get();
      ++counts[module];
    }
  }
  const bool knows_modules = !ends.empty();
  std::map<const ov::Node*, std::vector<std::string>> names;
  std::map<std::string, int> of_type;
  std::set<std::string> taken;
  for (const auto& node : nodes) {
    const std::string type = node->get_type_name();
    const int count = of_type[type]++;
    const Place place = find_place(*node);
    std::vector<std::string> own;
    for (const std::string& module : modules_around(place.module)) {
      if (ends.at(module) == node.get()) own.push_back(module);
    }
    const bool is_whole_module = !place.module.empty() && counts.at(place.module) == 1;
    const bool counted = place.module.empty() && is_counted(place.node, type);
    // Where the others have names, one without is a part of an operation that has one: Maximum, of
    // a Clip that ends with Minimum.
    if (!is_whole_module && !(counted && knows_modules)) {
      const std::string last = counted ? type + "_" + std::to_string(count) : place.node;
      own.push_back(place.module.empty() ? last : place.module + "." + last);
    }
    for (std::string& name : own) {
      while (!taken.insert(name).second) name += "'";
    }
    names[node.get()] = own;
  }
  return names;
}

}  // namespace gradcam
