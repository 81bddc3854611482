#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace gradcam {

/// "1x3x224x224"
inline std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t size : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(size);
  }
  return text;
}

}  // namespace gradcam
