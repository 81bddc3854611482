#pragma once

#include <string>

/// The program's log: lines on stderr with their level. Its own library, because LibTorch's headers
/// bring an fmt of their own that the Debian spdlog cannot be compiled with.
namespace gradcam::log {

/// `level`: error, warning, info or debug.
void set_level(const std::string& level);
void info(const std::string& line);
void warning(const std::string& line);
void error(const std::string& line);

}  // namespace gradcam::log
