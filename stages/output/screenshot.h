#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "stages/frame/frame.h"

namespace gradcam {

/// Writes the picture as FOLDER/gradcam_NAME_NUMBER.png, what is no letter or digit in `name` (of a
/// stream) replaced; with -2, -3 … added while a file of that name exists. Result: its path.
/// Throws UserError(kOutput).
std::filesystem::path save_screenshot(const std::filesystem::path& folder, const std::string& name,
                                      std::int64_t number, const cv::Mat& picture);

}  // namespace gradcam
