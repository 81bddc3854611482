#include "stages/explain/import/file_format.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/import/proto_file.h"

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

constexpr Format kSavedModel{"", "TensorFlow SavedModel", "tf", ""};

const Format* format_of(const std::string& path) {
  std::error_code error;  // a folder that cannot be looked into does not hold it
  if (fs::is_regular_file(fs::path(path) / "saved_model.pb", error)) return &kSavedModel;
  const std::string ending = lower_case(fs::path(path).extension().string());
  const auto found = std::ranges::find(kFormats, ending, &Format::ending);
  return found == kFormats.end() ? nullptr : found;
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

void require_readable_format(const std::string& path) {
  const Format* const format = format_of(path);
  const auto refuse = [&](const std::string& why) {
    throw UserError(ExitCode::kModel, "model '" + path + "': " + why);
  };
  if (format == nullptr) return;
  if (format->front_end.empty()) {
    std::string advice(format->advice);
    if (const auto at = advice.find("FILE"); at != std::string::npos) advice.replace(at, 4, path);
    refuse("a file of " + std::string(format->name) + " is not read: " + advice);
  }
  if (fs::path(path).filename() == "saved_model.pb") refuse("give the folder that it lies in");
  if (format->ending == ".pb" && !is_graph(path)) {
    refuse("not a file of TensorFlow that can be read: it holds no graph, or is cut short");
  }
}

}  // namespace gradcam
