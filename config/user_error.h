#pragma once

#include <stdexcept>
#include <string>

namespace gradcam {

/// What the program tells its caller by its exit status.
enum class ExitCode : int {
  kDone = 0,      ///< finished, or stopped by the user: outputs closed and playable
  kInternal = 1,  ///< a bug or a failure inside
  kUsage = 2,     ///< bad option or configuration, no source, a layer/class/label the model lacks
  kSource = 3,    ///< a source cannot be opened or played
  kModel = 4,     ///< the model file or its description is unusable
  kOutput = 5,    ///< an output cannot be written
  kPartial = 6,   ///< ended, but frames or one of several sources failed, or a source was cut short
};

/// Something the user can put right. The message is one line that names the option, value or file
/// and what would be allowed; main prints it and ends with `code()`.
class UserError : public std::runtime_error {
 public:
  UserError(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace gradcam
