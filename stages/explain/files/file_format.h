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

/// Whether a file is a network by its ending, that of TorchScript (.pt, .pth ...) or of another
/// format. A folder that TensorFlow saved a model in is one, too.
bool is_network_file(const std::string& path);

/// The one network file in a folder, as exporters write it; empty = there is none, or several.
std::string network_in(const std::string& folder);

/// The network that is meant by a path: network_in() of a folder, else the path itself. Throws
/// UserError(kModel) for a folder in which no file or several can be meant.
std::string network_at(const std::string& path);

/// Throws UserError(kModel) that says what to do if no file of this format is read, or if the file
/// is none of it and LibTorch or OpenVINO would say so in many lines or not at all: it is empty, an
/// OpenVINO IR of another version, or what PyTorch writes besides TorchScript.
void require_readable_format(const std::string& path);

}  // namespace gradcam
