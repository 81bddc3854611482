#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace gradcam {

/// The names of the members of a zip file, without the folder that PyTorch puts all of them in, by
/// the directory at its end; of many the last ones. Empty = it is no zip file, or cut short.
inline std::vector<std::string> zip_names(const std::string& path) {
  constexpr std::streamoff kEnd = 1 << 22;
  constexpr std::string_view kEntry = "PK\x01\x02";
  constexpr std::size_t kNameLength = 28;  // two bytes, the lower one first
  constexpr std::size_t kName = 46;
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in.tellg();
  in.seekg(std::max<std::streamoff>(0, size - kEnd));
  std::string end(static_cast<std::size_t>(std::clamp<std::streamoff>(size, 0, kEnd)), '\0');
  in.read(end.data(), static_cast<std::streamsize>(end.size()));
  std::vector<std::string> names;
  if (!in || end.rfind("PK\x05\x06") == std::string::npos) return names;
  for (std::size_t at = end.find(kEntry); at != std::string::npos && at + kName <= end.size();
       at = end.find(kEntry, at + kEntry.size())) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(end[at + i]); };
    const std::size_t length = byte(kNameLength) + 256U * byte(kNameLength + 1);
    const std::string name = end.substr(at + kName, length);
    names.push_back(name.substr(name.find('/') + 1));
  }
  return names;
}

}  // namespace gradcam
