#include "stages/explain/files/unreadable_file.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string_view>
#include <vector>

#include "config/text.h"
#include "stages/explain/files/file_format.h"
#include "stages/explain/files/proto_file.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

/// Fields of ONNX's messages (onnx.proto), by number.
constexpr std::uint64_t kGraphOfModel = 7;
constexpr std::uint64_t kInitialiserOfGraph = 5;
constexpr std::uint64_t kExternalOfTensor = 13;
constexpr std::uint64_t kKeyOfEntry = 1;
constexpr std::uint64_t kValueOfEntry = 2;

/// The files in which an ONNX file keeps weights, as it names them.
std::set<std::string> onnx_weights_beside(const std::string& path) {
  std::set<std::string> names;
  ProtoFile file(path);
  const auto take_entry = [&](std::uint64_t end) {
    std::string key;
    file.each_field(end, [&](std::uint64_t field, std::uint64_t stop) {
      if (field == kKeyOfEntry) key = file.text(stop);
      if (field == kValueOfEntry && key == "location") names.insert(file.text(stop));
    });
  };
  const auto take_tensor = [&](std::uint64_t end) {
    file.each_field(end, [&](std::uint64_t field, std::uint64_t stop) {
      if (field == kExternalOfTensor) take_entry(stop);
    });
  };
  file.each_field(file.size(), [&](std::uint64_t field, std::uint64_t end) {
    if (field != kGraphOfModel) return;
    file.each_field(end, [&](std::uint64_t inner, std::uint64_t stop) {
      if (inner == kInitialiserOfGraph) take_tensor(stop);
    });
  });
  return names;
}

std::set<std::string> weights_of(const std::string& path) {
  const std::string format = front_end_of(path);
  if (format == "onnx") return onnx_weights_beside(path);
  const auto same_name = [&](const char* ending) {
    return std::set<std::string>{fs::path(path).filename().replace_extension(ending).string()};
  };
  if (format == "ir") return same_name(".bin");
  if (format == "paddle") return same_name(".pdiparams");
  return {};
}

/// What the report of a conversion says of operations, in our words; `text`: begins with it.
struct Report {
  std::string_view text;
  std::string_view words;
};
constexpr std::array kReports = {Report{"OpenVINO: No conversion rule found for operations: ",
                                        "holds operations that OpenVINO does not know: "},
                                 Report{"OpenVINO: Conversion is failed for: ",
                                        "holds operations that OpenVINO cannot convert: "}};

}  // namespace

std::vector<fs::path> weights_beside(const std::string& path) {
  std::vector<fs::path> files;
  for (const std::string& name : weights_of(path)) {
    files.push_back(fs::path(path).parent_path() / name);
  }
  return files;
}

std::string why_unreadable(const std::string& path, const std::string& reason) {
  std::vector<std::string> missing;
  for (const fs::path& file : weights_beside(path)) {
    std::error_code error;
    if (!fs::exists(file, error)) missing.push_back("'" + file.filename().string() + "'");
  }
  if (!missing.empty()) return "weights beside it, " + some_of(missing) + ", are missing";
  for (const auto& [text, words] : kReports) {
    if (reason.starts_with(text)) return std::string(words) + reason.substr(text.size());
  }
  return "not a file of " + std::string(name_of_format(path)) + " that can be read: " + reason;
}

}  // namespace gradcam
