#include "stages/output/screenshot.h"

#include <algorithm>
#include <cctype>
#include <opencv2/imgcodecs.hpp>
#include <system_error>
#include <vector>

#include "config/user_error.h"
#include "stages/output/atomic_file.h"

namespace gradcam {
namespace {

constexpr std::size_t kLongestName = 80;

std::string file_safe(std::string name) {
  if (name.size() > kLongestName) name.erase(0, name.size() - kLongestName);
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return c >= 0x80 || (std::isalnum(c) == 0 && c != '.' && c != '-'); },
      '_');
  return name;
}

}  // namespace

std::filesystem::path save_screenshot(const std::filesystem::path& folder, const std::string& name,
                                      std::int64_t number, const cv::Mat& picture) {
  const std::string stem = "gradcam_" + file_safe(name) + "_" + std::to_string(number);
  std::filesystem::path path = folder / (stem + ".png");
  std::error_code unreadable;  // then writing will say why
  for (int i = 2; std::filesystem::exists(path, unreadable); ++i) {
    path = folder / (stem + "-" + std::to_string(i) + ".png");
  }
  std::vector<unsigned char> bytes;
  if (!cv::imencode(".png", picture, bytes)) {
    throw UserError(ExitCode::kOutput,
                    "cannot write '" + path.string() + "': the .png encoder failed");
  }
  write_file(path, bytes);
  return path;
}

}  // namespace gradcam
