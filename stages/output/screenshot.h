#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "stages/frame/frame.h"

namespace gradcam {

/// Writes `picture` (BGR u8) as FOLDER/gradcam_NAME_NUMBER.png and returns that path. NAME is
/// `name`, of a stream, with '_' for each character that is no letter or digit. Where the file
/// exists, -2, -3 … is added to its name. Throws UserError(kOutput).
std::filesystem::path save_screenshot(const std::filesystem::path& folder, const std::string& name,
                                      std::int64_t number, const cv::Mat& picture);

}  // namespace gradcam
