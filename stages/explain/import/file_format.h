#pragma once

#include <string>
#include <string_view>

namespace gradcam {

/// Whether a network file is of another format than TorchScript, by its ending: .onnx, .xml
/// (OpenVINO IR), .tflite.
bool is_other_format(const std::string& path);

/// "ONNX", of a file that is_other_format(); else empty.
std::string_view name_of_format(const std::string& path);

/// What OpenVINO calls the part of it that reads the file: "onnx".
std::string front_end_of(const std::string& path);

}  // namespace gradcam
