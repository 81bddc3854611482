#pragma once

#include <cstddef>
#include <string>

namespace gradcam {

/// `text` fit to be shown: the password of each URL in it (user:password@host, and the values of
/// query keys such as password or apiKey) and of each GStreamer element (user-pw=…) is replaced by
/// "***". Everything else stays.
std::string without_password(const std::string& text);

/// Where user:password of a URL ends, its '@'; npos if it holds none. A password may hold '/' or
/// '@' unescaped, as many do.
std::size_t credentials_end(const std::string& url);

/// For messages: 'text' in quotation marks, without passwords, on one line.
std::string quoted(const std::string& text);

}  // namespace gradcam
