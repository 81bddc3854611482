#include "stages/explain/model/torch_reason.h"

#include <algorithm>
#include <cctype>

namespace gradcam {

std::string torch_reason(const std::string& what) {
  constexpr std::size_t kMost = 160;
  // The interpreter puts its traceback first and the reason after "RuntimeError: ".
  const std::string marker = "Error: ";
  const auto at = what.rfind(marker);
  std::string reason = at == std::string::npos ? what : what.substr(at + marker.size());
  const auto start = reason.find_first_not_of(" \n");
  reason = start == std::string::npos ? "" : reason.substr(start);
  reason = reason.substr(0, reason.find('\n'));
  // What follows is about LibTorch, and not about the file.
  reason = reason.substr(0, reason.find(" This is an internal miniz error"));
  // It may quote a broken file.
  std::replace_if(
      reason.begin(), reason.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  return reason.size() <= kMost ? reason : reason.substr(0, kMost - 3) + "...";
}

}  // namespace gradcam
