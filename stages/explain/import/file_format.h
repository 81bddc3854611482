#pragma once

#include <string>
#include <string_view>

namespace gradcam {

/// Whether a network file is of another format than TorchScript, by its ending: .onnx, .xml
/// (OpenVINO IR), .tflite, .pb (TensorFlow) and others, of which some are known only to say what to
/// do with them. A folder that TensorFlow saved a model in is one, too.
bool is_other_format(const std::string& path);

/// "ONNX", of a file that is_other_format(); else empty.
std::string_view name_of_format(const std::string& path);

/// What OpenVINO calls the part of it that reads the file: "onnx"; empty if none does.
std::string front_end_of(const std::string& path);

/// Throws UserError(kModel) that says what to do if OpenVINO reads no file of this format, or if
/// the file is none of it and OpenVINO would say so in many lines.
void require_readable_format(const std::string& path);

}  // namespace gradcam
