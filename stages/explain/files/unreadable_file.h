#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gradcam {

/// The files of weights that a network file of OpenVINO's formats names, or that go with it,
/// whether they are there or not. Of ONNX it looks at the initialisers. Never throws for what it
/// reads.
std::vector<std::filesystem::path> weights_beside(const std::string& path);

/// Why OpenVINO does not read a network file, for the user. `reason`: what it says,
/// openvino_reason(). Weights that should lie beside the file and are not there are found by the
/// file itself.
std::string why_unreadable(const std::string& path, const std::string& reason);

}  // namespace gradcam
