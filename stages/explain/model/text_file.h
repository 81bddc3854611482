#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "config/user_error.h"

namespace gradcam {

/// All of a file. `what` it is, for the error. Throws UserError(code) that names it.
inline std::string read_file(const std::string& path, ExitCode code, const std::string& what) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) throw UserError(code, what + " '" + path + "': cannot be read");
  return text.str();
}

}  // namespace gradcam
