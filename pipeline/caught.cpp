#include "pipeline/caught.h"

namespace gradcam {

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return *e.what() != '\0' ? e.what() : "error without a message";
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
