#pragma once

#include <exception>
#include <string>

#include "config/user_error.h"

namespace gradcam {

/// What an exception of any type says; never empty.
std::string message_of(const std::exception_ptr& error);

/// The exit status that it stands for: that of a UserError; any other exception is a bug,
/// kInternal.
ExitCode code_of(const std::exception_ptr& error);

}  // namespace gradcam
