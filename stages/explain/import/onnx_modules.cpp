#include "stages/explain/import/onnx_modules.h"

#include <cstdint>
#include <openvino/core/model.hpp>
#include <vector>

#include "stages/explain/files/proto_file.h"

namespace gradcam {
namespace {

constexpr const char* kNote = "gradcam_module";

/// Fields of ONNX's messages (onnx.proto), by number.
constexpr std::uint64_t kProducerOfModel = 2;
constexpr std::uint64_t kGraphOfModel = 7;
constexpr std::uint64_t kNodeOfGraph = 1;
constexpr std::uint64_t kOutputOfNode = 2;
constexpr std::uint64_t kNameOfNode = 3;
constexpr std::uint64_t kMetadataOfNode = 9;
constexpr std::uint64_t kKeyOfEntry = 1;
constexpr std::uint64_t kValueOfEntry = 2;

/// The second last of Python's list "['', 'layer4', 'layer4.2', 'relu_48']": the last is the
/// operation itself.
std::string module_in(const std::string& scopes) {
  std::vector<std::string> parts;
  for (std::size_t at = scopes.find('\''); at != std::string::npos;) {
    const std::size_t end = scopes.find('\'', at + 1);
    if (end == std::string::npos) break;
    parts.push_back(scopes.substr(at + 1, end - at - 1));
    at = scopes.find('\'', end + 1);
  }
  return parts.size() < 2 ? std::string() : parts[parts.size() - 2];
}

struct Entry {
  std::string key;
  std::string value;
};

Entry read_entry(ProtoFile& file, std::uint64_t end) {
  Entry entry;
  file.each_field(end, [&](std::uint64_t field, std::uint64_t stop) {
    if (field == kKeyOfEntry) entry.key = file.text(stop);
    if (field == kValueOfEntry && entry.key == "pkg.torch.onnx.name_scopes") {
      entry.value = file.text(stop);
    }
  });
  return entry;
}

void read_node(ProtoFile& file, std::uint64_t end, OnnxNotes& notes) {
  std::vector<std::string> names;
  std::string module;
  file.each_field(end, [&](std::uint64_t field, std::uint64_t stop) {
    if (field == kNameOfNode || field == kOutputOfNode) names.push_back(file.text(stop));
    if (field != kMetadataOfNode) return;
    if (const Entry entry = read_entry(file, stop); !entry.value.empty()) {
      module = module_in(entry.value);
    }
  });
  if (module.empty()) return;
  for (const std::string& name : names) {
    if (!name.empty()) notes.modules[name] = module;
  }
}

}  // namespace

OnnxNotes read_onnx_notes(const std::string& path) {
  OnnxNotes notes;
  ProtoFile file(path);
  file.each_field(file.size(), [&](std::uint64_t field, std::uint64_t end) {
    if (field == kProducerOfModel) notes.producer = file.text(end);
    if (field != kGraphOfModel) return;
    file.each_field(end, [&](std::uint64_t inner, std::uint64_t stop) {
      if (inner == kNodeOfGraph) read_node(file, stop, notes);
    });
  });
  return notes;
}

void note_modules(const ov::Model& model, const std::map<std::string, std::string>& modules) {
  for (const auto& node : model.get_ops()) {
    const std::string& name = node->get_friendly_name();
    auto found = modules.find(name);
    // What OpenVINO makes of one node in several: "node_linear/WithoutBiases".
    if (found == modules.end()) found = modules.find(name.substr(0, name.find('/')));
    if (found != modules.end()) node->get_rt_info()[kNote] = found->second;
  }
}

std::string noted_module(const ov::Node& node) {
  const auto& notes = node.get_rt_info();
  const auto found = notes.find(kNote);
  return found == notes.end() ? std::string() : found->second.as<std::string>();
}

}  // namespace gradcam
