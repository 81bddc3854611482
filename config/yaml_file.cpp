#include "config/yaml_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "config/redact.h"
#include "config/suggest.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestFile = 1 << 20;

[[noreturn]] void fail(const std::string& message) { throw UserError(ExitCode::kUsage, message); }

std::string read_text(const Given& file) {
  const std::string name = file.origin + ": " + quoted(file.text);
  std::error_code error;
  const fs::file_status status = fs::status(file.text, error);
  if (!fs::exists(status)) fail(name + " does not exist; give a YAML file");
  if (!fs::is_regular_file(status)) fail(name + " is not a file; give a YAML file");
  if (fs::file_size(file.text, error) > kLargestFile || error) {
    fail(name + " is larger than 1 MiB; give a YAML file with option names as keys");
  }
  std::ifstream stream(file.text, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream) fail(name + " cannot be read; give a YAML file");
  return text;
}

/// Reads one file; knows its name for messages.
class YamlReader {
 public:
  YamlReader(std::string file, const std::vector<OptionSpec>& table)
      : file_(std::move(file)), table_(table) {}

  Settings read(const std::string& text) const {
    Settings settings;
    const YAML::Node root = root_of(text);
    if (root.IsNull()) return settings;
    if (!root.IsMap()) fail(at(root) + "expected lines such as 'opacity: 0.4'");
    for (const auto& entry : root) {
      const OptionSpec& spec = option_of(entry.first);
      if (!settings.emplace(spec.name, values_of(spec, entry.first, entry.second)).second) {
        fail(at(entry.first) + "key " + quoted(spec.yaml_key) + " is given twice; give it once");
      }
    }
    return settings;
  }

 private:
  std::string at(const YAML::Mark& mark) const {
    return quoted(file_) + (mark.is_null() ? "" : ":" + std::to_string(mark.line + 1)) + ": ";
  }
  std::string at(const YAML::Node& node) const { return at(node.Mark()); }

  YAML::Node root_of(const std::string& text) const {
    try {
      const std::vector<YAML::Node> documents = YAML::LoadAll(text);
      if (documents.size() > 1) fail(at(documents[1]) + "a second document; give one");
      return documents.empty() ? YAML::Node() : documents[0];
    } catch (const YAML::Exception& error) {
      fail(at(error.mark) + "not YAML: " + quoted(error.msg));
    }
  }

  const OptionSpec& option_of(const YAML::Node& key) const {
    if (!key.IsScalar()) fail(at(key) + "a key must be the name of an option");
    const std::string& name = key.Scalar();
    std::vector<std::string> keys;
    for (const OptionSpec& spec : table_) {
      if (spec.yaml_key.empty()) continue;
      if (spec.yaml_key == name) return spec;
      keys.push_back(spec.yaml_key);
    }
    fail(at(key) + "unknown key " + quoted(name) + did_you_mean(name, keys) +
         " (gradcam-live --help lists them)");
  }

  std::vector<Given> values_of(const OptionSpec& spec, const YAML::Node& key,
                               const YAML::Node& value) const {
    const std::string allowed = "; give " + spec.allowed;
    if (value.IsNull() && spec.yaml_key != "output") {
      if (spec.values(Options{}).empty()) return {};
      fail(at(key) + spec.yaml_key + ": has no value" + allowed);
    }
    if (value.IsScalar() || value.IsNull()) return {given(spec, value)};
    if (!value.IsSequence() || spec.arity != Arity::kList) {
      fail(at(value) + spec.yaml_key + ": takes a single value" + allowed);
    }
    std::vector<Given> all;
    for (const auto& item : value) {
      if (!item.IsScalar() && !(item.IsNull() && spec.yaml_key == "output"))
        fail(at(item) + spec.yaml_key + ": takes a list of values" + allowed);
      all.push_back(given(spec, item));
    }
    return all;
  }

  Given given(const OptionSpec& spec, const YAML::Node& value) const {
    // YAML has a meaning of its own for the word null; as an output it is the one that writes
    // nothing.
    return {value.IsNull() ? "null" : value.Scalar(), at(value) + spec.yaml_key};
  }

  std::string file_;
  const std::vector<OptionSpec>& table_;
};

/// Plain where that is safe; quoted otherwise, so that "~" or "[ab]" stay texts.
void emit(YAML::Emitter& out, const std::string& text) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '/' || c == '_' || c == '-' || c == '+';
  };
  const bool safe = std::all_of(text.begin(), text.end(), plain) && text != "-" && text != "null" &&
                    text != "Null" && text != "NULL";
  if (!safe) out << YAML::DoubleQuoted;
  out << text;
}

}  // namespace

Settings read_yaml_file(const Given& file, const std::vector<OptionSpec>& table) {
  return YamlReader(file.text, table).read(read_text(file));
}

std::string to_yaml(const Options& options) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  for (const OptionSpec& spec : option_table()) {
    if (spec.yaml_key.empty()) continue;
    out << YAML::Key << spec.yaml_key << YAML::Value;
    const std::vector<std::string> values = spec.values(options);
    if (spec.arity == Arity::kList) {
      out << YAML::Flow << YAML::BeginSeq;
      for (const std::string& value : values) emit(out, without_password(value));
      out << YAML::EndSeq;
    } else if (values.empty()) {
      out << YAML::Null;
    } else {
      emit(out, without_password(values[0]));
    }
  }
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace gradcam
