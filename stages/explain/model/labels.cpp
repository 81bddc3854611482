#include "stages/explain/model/labels.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "stages/explain/model/text_file.h"

namespace gradcam {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

[[noreturn]] void refuse(ExitCode code, const std::string& path, const std::string& why) {
  throw UserError(code, "labels '" + path + "': " + why +
                            "; give a text file with one label per line, or a "
                            "class-index JSON");
}

/// Without the mark that some editors put in front of UTF-8.
std::string text_of(const std::string& path, ExitCode code) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) refuse(code, path, "is a folder");
  if (status.type() == fs::file_type::not_found) refuse(code, path, "does not exist");
  if (!fs::is_regular_file(status)) refuse(code, path, "is no file that can be read");
  std::string text = read_file(path, code, "labels");
  if (text.rfind("\xEF\xBB\xBF", 0) == 0) text.erase(0, 3);
  const auto is_binary = [](unsigned char c) {
    return c < ' ' && c != '\t' && c != '\r' && c != '\n';
  };
  if (std::any_of(text.begin(), text.end(), is_binary)) refuse(code, path, "is no text");
  return text;
}

std::vector<std::string> labels_of(const json& document, const std::string& path, ExitCode code) {
  const auto bad = [&]() -> std::vector<std::string> {
    throw UserError(code,
                    "labels '" + path +
                        "': JSON must be a list of labels or an object from class index to label "
                        "or [id, label]");
  };
  if (document.is_array()) {
    std::vector<std::string> labels;
    for (const json& label : document) {
      if (!label.is_string()) return bad();
      labels.push_back(label.get<std::string>());
    }
    return labels;
  }
  if (!document.is_object()) return bad();
  std::vector<std::string> labels(document.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto entry = document.find(std::to_string(i));
    if (entry == document.end()) return bad();
    const json& label = entry->is_array() && !entry->empty() ? entry->back() : *entry;
    if (!label.is_string()) return bad();
    labels[i] = label.get<std::string>();
  }
  return labels;
}

}  // namespace

std::vector<std::string> read_labels(const std::string& path, ExitCode code) {
  const std::string text = text_of(path, code);
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool named_text = fs::path(path).extension() == ".txt";  // lines may begin with a bracket
  std::vector<std::string> labels;
  if (!named_text && first != std::string::npos && (text[first] == '{' || text[first] == '[')) {
    labels = labels_of(json::parse(text, nullptr, /*allow_exceptions=*/false), path, code);
    if (labels.empty()) refuse(code, path, "holds no label");
    return labels;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    labels.push_back(line);
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  if (labels.empty()) refuse(code, path, "holds no label");
  return labels;
}

}  // namespace gradcam
