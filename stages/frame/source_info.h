#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gradcam {

/// What is known of a source once it is open. 0 or nullopt = unknown.
struct SourceInfo {
  std::string name;                          ///< as the user may see it: never with a password
  std::vector<std::filesystem::path> files;  ///< that it reads; an output must not overwrite them
  int width = 0;
  int height = 0;
  double frames_per_second = 0;
  std::chrono::nanoseconds begin{0};   ///< where the part that was asked for begins: --start
  std::optional<std::int64_t> frames;  ///< what the container or the list claims
  std::optional<std::chrono::nanoseconds> duration;  ///< what the container claims
  bool live = false;    ///< a camera or stream: the newest frame counts, not every frame
  bool camera = false;  ///< a camera of this machine, which faces its user: the window is a mirror
  bool still = false;   ///< exactly one picture
};

}  // namespace gradcam
