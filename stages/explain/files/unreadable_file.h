#pragma once

#include <string>

namespace gradcam {

/// Why OpenVINO does not read a network file, for the user. `reason`: what it says,
/// openvino_reason(). Weights that should lie beside the file and are not there are found by the
/// file itself.
std::string why_unreadable(const std::string& path, const std::string& reason);

}  // namespace gradcam
