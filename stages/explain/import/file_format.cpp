#include "stages/explain/import/file_format.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "config/text.h"

namespace gradcam {
namespace {

struct Format {
  std::string_view ending;
  std::string_view name;
  std::string_view front_end;
};

constexpr std::array kFormats = {Format{".onnx", "ONNX", "onnx"},
                                 Format{".xml", "OpenVINO IR", "ir"},
                                 Format{".tflite", "TensorFlow Lite", "tflite"}};

const Format* format_of(const std::string& path) {
  const std::string ending = lower_case(std::filesystem::path(path).extension().string());
  const auto found = std::ranges::find(kFormats, ending, &Format::ending);
  return found == kFormats.end() ? nullptr : found;
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

}  // namespace gradcam
