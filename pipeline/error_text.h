#pragma once

#include <exception>
#include <string>

#include "config/user_error.h"

namespace gradcam {

/// What an exception of any type says; never empty.
std::string message_of(const std::exception_ptr& error);

/// The exit status it stands for: anything but a UserError is a bug.
ExitCode code_of(const std::exception_ptr& error);

}  // namespace gradcam
