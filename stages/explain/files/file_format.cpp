#include "stages/explain/files/file_format.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/files/proto_file.h"
#include "stages/explain/files/zip_names.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

struct Format {
  std::string_view ending;
  std::string_view name;
  std::string_view front_end;  ///< empty = none reads it
  std::string_view advice;     ///< what to do then
};

constexpr std::string_view kFromKeras =
    "make a TensorFlow Lite file of it: python -c \"import tensorflow as tf; "
    "open('net.tflite', 'wb').write(tf.lite.TFLiteConverter.from_keras_model("
    "tf.keras.models.load_model('FILE')).convert())\"";
constexpr std::string_view kFromExport =
    "make an ONNX file of it: python -c \"import torch; "
    "torch.onnx.export(torch.export.load('FILE'), (), 'net.onnx')\" (pip install onnx onnxscript)";
constexpr std::string_view kFromTensorRt =
    "it is code for one kind of GPU: give the ONNX file that it was made of";

constexpr std::array kFormats = {
    Format{".onnx", "ONNX", "onnx", ""},
    Format{".xml", "OpenVINO IR", "ir", ""},
    Format{".tflite", "TensorFlow Lite", "tflite", ""},
    Format{".pb", "TensorFlow", "tf", ""},
    Format{".pdmodel", "PaddlePaddle", "paddle", ""},
    Format{".pt2", "torch.export", "", kFromExport},
    Format{".h5", "Keras", "", kFromKeras},
    Format{".keras", "Keras", "", kFromKeras},
    Format{".safetensors", "safetensors", "",
           "it holds weights without their network: scripts/export_model.py makes a file of both"},
    Format{".engine", "TensorRT", "", kFromTensorRt},
    Format{".plan", "TensorRT", "", kFromTensorRt},
    Format{".mlmodel", "Core ML", "", "give the network that it was made of"},
    Format{".mlpackage", "Core ML", "", "give the network that it was made of"}};

/// What LibTorch reads. Other endings are taken, too, where the file is TorchScript.
constexpr std::array<std::string_view, 5> kTorchScript = {".pt", ".pth", ".ptl", ".torchscript",
                                                          ".jit"};

/// Files of weights that lie beside the network that they belong to.
struct Companion {
  std::string_view ending;
  std::string_view network;  ///< ending of the network's file
};
constexpr std::array kCompanions = {Companion{".bin", ".xml"}, Companion{".data", ""},
                                    Companion{".pdiparams", ".pdmodel"}};

constexpr std::string_view kWeights =
    "holds weights or a pickled module, and no program: scripts/export_model.py FILE --arch NAME "
    "-o net.pt makes a network of weights (NAME: of torchvision, timm/NAME or hf/NAME; of your "
    "own: file.py:function --weights); of a pickled module save the state_dict()";

constexpr Format kSavedModel{"", "TensorFlow SavedModel", "tf", ""};

std::string ending_of(const std::string& path) {
  return lower_case(fs::path(path).extension().string());
}

bool is_torchscript(std::string_view ending) {
  return std::ranges::find(kTorchScript, ending) != kTorchScript.end();
}

const Format* format_of(const std::string& path) {
  std::error_code error;  // a folder that cannot be looked into does not hold it
  if (fs::is_regular_file(fs::path(path) / "saved_model.pb", error)) return &kSavedModel;
  const auto found = std::ranges::find(kFormats, ending_of(path), &Format::ending);
  return found == kFormats.end() ? nullptr : found;
}

/// ".pt, .pth, ..."
std::string allowed_endings() {
  std::vector<std::string> endings(kTorchScript.begin(), kTorchScript.end());
  for (const Format& format : kFormats) {
    if (!format.front_end.empty()) endings.emplace_back(format.ending);
  }
  return listed(endings);
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw UserError(ExitCode::kModel, "model '" + path + "': " + why);
}

std::string with_path(std::string_view advice, const std::string& path) {
  std::string text(advice);
  if (const auto at = text.find("FILE"); at != std::string::npos) text.replace(at, 4, path);
  return text;
}

/// The networks in a folder, by their file names; those that are read count more than those that
/// are known only to say what to do with them.
std::vector<std::string> networks_in(const std::string& folder) {
  std::vector<std::string> read;
  std::vector<std::string> others;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::string ending = ending_of(name);
    const auto found = std::ranges::find(kFormats, ending, &Format::ending);
    std::error_code unreadable;
    if (!entry->is_regular_file(unreadable)) continue;
    if (is_torchscript(ending) || (found != kFormats.end() && !found->front_end.empty())) {
      read.push_back(name);
    } else if (found != kFormats.end()) {
      others.push_back(name);
    }
  }
  if (read.empty()) read = std::move(others);
  std::ranges::sort(read);
  return read;
}

/// Refuses what is TorchScript neither by its ending nor by what it holds, and what PyTorch writes
/// besides.
void require_torchscript(const std::string& path) {
  const std::vector<std::string> names = zip_names(path);
  const auto has = [&](const auto& is_sought) { return std::ranges::any_of(names, is_sought); };
  const auto has_name = [&](const char* name) {
    return has([&](const std::string& each) { return each == name; });
  };
  if (has_name("constants.pkl")) return;
  if (has_name("serialized_exported_program.json") || has([](const std::string& name) {
        return name.starts_with("models/") && name.ends_with(".json");
      })) {
    refuse(path, "a file of torch.export is not read: " + with_path(kFromExport, path));
  }
  std::ifstream in(path, std::ios::binary);
  const int first = in.get();
  const int second = in.get();
  const bool is_pickle = first == 0x80 && second >= 2 && second <= 5;  // PyTorch before 1.6
  if (has_name("data.pkl") || is_pickle) refuse(path, with_path(kWeights, path));
  const std::string ending = ending_of(path);
  for (const Companion& companion : kCompanions) {
    if (ending != companion.ending) continue;
    const fs::path network = fs::path(path).replace_extension(companion.network);
    std::error_code error;
    if (fs::is_regular_file(network, error)) {
      refuse(path, "holds weights of a network: give '" + network.string() + "'");
    }
  }
  if (!is_torchscript(ending)) {
    refuse(path, "of no known kind: allowed are " + allowed_endings() +
                     ", and the folder of a SavedModel");
  }
  if (names.empty()) {
    refuse(path,
           "not a TorchScript file (torch.jit.save, or scripts/export_model.py): no zip "
           "archive, or cut short");
  }
}

/// The version of an OpenVINO IR; empty = it is none.
std::string ir_version(const std::string& path) {
  std::string text(1 << 16, '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  const std::size_t tag = text.find("<net ");
  if (tag == std::string::npos) return "";
  text = text.substr(tag, text.find('>', tag) - tag);
  constexpr std::string_view kVersion = " version=\"";
  const std::size_t at = text.find(kVersion);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + kVersion.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

void require_known_ir(const std::string& path) {
  const std::string version = ir_version(path);
  if (version == "10" || version == "11") return;
  refuse(path, version.empty() ? "not a file of OpenVINO IR that can be read: it has no version"
                               : "is OpenVINO IR of version " + version.substr(0, 20) +
                                     "; those of 10 and 11 are read: convert the network anew");
}

/// Whether a file can be a GraphDef of TensorFlow, whose nodes are field 1.
bool is_graph(const std::string& path) {
  ProtoFile file(path);
  bool has_nodes = false;
  const bool whole = file.each_field(
      file.size(), [&](std::uint64_t field, std::uint64_t) { has_nodes |= field == 1; });
  return whole && has_nodes;
}

}  // namespace

bool is_other_format(const std::string& path) { return format_of(path) != nullptr; }

std::string_view name_of_format(const std::string& path) {
  const Format* const format = format_of(path);
  return format == nullptr ? std::string_view() : format->name;
}

std::string front_end_of(const std::string& path) {
  const Format* const format = format_of(path);
  return format == nullptr ? "" : std::string(format->front_end);
}

bool is_network_file(const std::string& path) {
  return is_torchscript(ending_of(path)) || is_other_format(path);
}

std::string network_in(const std::string& folder) {
  const std::vector<std::string> names = networks_in(folder);
  return names.size() == 1 ? (fs::path(folder) / names.front()).string() : "";
}

std::string network_at(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error) || is_other_format(path)) return path;
  if (std::string only = network_in(path); !only.empty()) return only;
  const std::vector<std::string> names = networks_in(path);
  refuse(path, "a folder: give the network file in it (" +
                   (names.empty() ? allowed_endings() : some_of(names)) + ")");
}

void require_readable_format(const std::string& path) {
  if (fs::path(path).filename() == "saved_model.pb")
    refuse(path, "give the folder that it lies in");
  std::error_code error;
  if (fs::is_regular_file(path, error) && fs::file_size(path, error) == 0) {
    refuse(path, "the file is empty");
  }
  const Format* const format = format_of(path);
  if (format == nullptr) return require_torchscript(path);
  if (format->front_end.empty()) {
    refuse(path, "a file of " + std::string(format->name) +
                     " is not read: " + with_path(format->advice, path));
  }
  if (format->ending == ".xml") require_known_ir(path);
  if (format->ending == ".pb" && !is_graph(path)) {
    refuse(path, "not a file of TensorFlow that can be read: it holds no graph, or is cut short");
  }
}

}  // namespace gradcam
