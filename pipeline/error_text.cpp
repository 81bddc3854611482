#include "pipeline/error_text.h"

namespace gradcam {

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    const std::string text = e.what();
    const auto end = text.find_last_not_of(" \n");  // OpenCV ends its messages with a line break
    return end == std::string::npos ? "error without a message" : text.substr(0, end + 1);
  } catch (...) {
    return "error of unknown type";
  }
}

ExitCode code_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const UserError& e) {
    return e.code();
  } catch (...) {
    return ExitCode::kInternal;
  }
}

}  // namespace gradcam
