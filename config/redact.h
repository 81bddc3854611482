#pragma once

#include <string>

namespace gradcam {

/// `text` fit to be shown: the password of each URL in it (user:password@host, and the values of
/// query keys such as password or token) and of each GStreamer element (user-pw=…) is replaced by
/// "***". Everything else stays.
std::string without_password(const std::string& text);

/// For messages: 'text' in quotation marks, without passwords, on one line.
std::string quoted(const std::string& text);

}  // namespace gradcam
