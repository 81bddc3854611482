#pragma once

#include <cctype>
#include <openvino/core/except.hpp>
#include <sstream>
#include <stdexcept>
#include <string>

namespace gradcam {

/// Short and printable: some reasons quote the whole of a file.
inline std::string shortened(const std::string& reason) {
  constexpr std::size_t kMost = 300;
  std::string text;
  for (const char c : reason.substr(0, kMost)) {
    if (std::isprint(static_cast<unsigned char>(c)) != 0) text += c;
  }
  return text + (reason.size() > kMost ? " ..." : "");
}

/// What OpenVINO threw, as one line: without those that name places in its sources, nodes that were
/// checked, or what it was about to do, and of the long report of a conversion the one that names
/// the operations it has no rule for or could not convert.
inline std::string openvino_reason(const std::string& what) {
  std::istringstream lines(what);
  std::string reason;
  bool found = false;
  for (std::string line; std::getline(lines, line);) {
    for (const char* summary :
         {"No conversion rule found for operations", "Conversion is failed"}) {
      const auto at = line.find(summary);
      if (at != std::string::npos) return "OpenVINO: " + shortened(line.substr(at));
    }
    const bool tells_where = line.starts_with("Exception from ") ||
                             line.starts_with("FrontEnd API failed") ||
                             line == "Loading input model";
    if (found || line.empty() || (tells_where && !reason.empty())) continue;
    reason = line;
    // Which node, and which condition did not hold: the reason follows.
    found = !tells_where && !line.starts_with("Check '") && !line.starts_with("While validating ");
  }
  return "OpenVINO: " + shortened(reason);
}

/// `work()`; what OpenVINO throws comes as std::runtime_error of one line.
template <typename Work>
auto openvino_in_one_line(const Work& work) {
  try {
    return work();
  } catch (const ov::Exception& error) {
    throw std::runtime_error(openvino_reason(error.what()));
  }
}

}  // namespace gradcam
