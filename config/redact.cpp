#include "config/redact.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace gradcam {
namespace {

constexpr const char* kHidden = "***";

bool is_port(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// The part of a URL between "://" and the host's '@', or npos. Passwords that hold an unescaped
/// '/' are common: such an authority looks like host:port with a port that is no number.
std::size_t at_sign_of(const std::string& url, std::size_t begin, std::size_t end) {
  const std::size_t path = std::min(url.find_first_of("/?#", begin), end);
  std::size_t at = url.rfind('@', path);
  if (at != std::string::npos && at >= begin && at < path) return at;
  const std::size_t colon = url.find(':', begin);
  if (colon >= path || url[begin] == '[' || is_port(url.substr(colon + 1, path - colon - 1))) {
    return std::string::npos;
  }
  at = url.rfind('@', end);
  return at != std::string::npos && at > colon ? at : std::string::npos;
}

/// The values of `?key=value&…` whose key names a secret.
void hide_query_secrets(std::string& text) {
  static constexpr std::array<std::string_view, 8> kKeys = {"password", "passwd", "pass", "pwd",
                                                            "token",    "secret", "key",  "auth"};
  for (std::size_t mark = text.find_first_of("?&"); mark != std::string::npos;
       mark = text.find_first_of("?&", mark + 1)) {
    const std::size_t equals = text.find_first_of("=&#", mark + 1);
    if (equals == std::string::npos || text[equals] != '=') continue;
    std::string key = text.substr(mark + 1, equals - mark - 1);
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) continue;
    const std::size_t end = std::min(text.find_first_of("&# \t\"'", equals), text.size());
    text.replace(equals + 1, end - equals - 1, kHidden);
  }
}

/// The values of the properties of GStreamer elements that hold a password.
void hide_property_secrets(std::string& text) {
  for (const std::string_view key : {"user-pw=", "proxy-pw=", "password=", "passphrase="}) {
    for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
      if (at == 0 || text[at - 1] != ' ') continue;
      const std::size_t begin = at + key.size();
      const bool in_quotes = begin < text.size() && (text[begin] == '"' || text[begin] == '\'');
      const std::size_t end = std::min(
          in_quotes ? text.find(text[begin], begin + 1) : text.find(' ', begin), text.size());
      text.replace(begin + (in_quotes ? 1 : 0), end - begin - (in_quotes ? 1 : 0), kHidden);
    }
  }
}

/// Whether the text is one URL, and not words with URLs in them: then it ends where the text does.
bool is_url(const std::string& text, std::size_t scheme) {
  return scheme > 0 && std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(scheme),
                                   [](unsigned char c) { return std::isalnum(c) != 0; });
}

}  // namespace

std::string without_password(const std::string& text) {
  std::string shown = text;
  for (std::size_t scheme = shown.find("://"); scheme != std::string::npos;
       scheme = shown.find("://", scheme + 3)) {
    const std::size_t begin = scheme + 3;
    const std::size_t end = is_url(shown, scheme)
                                ? shown.size()
                                : std::min(shown.find_first_of(" \t\"'", begin), shown.size());
    const std::size_t at = at_sign_of(shown, begin, end);
    const std::size_t colon = shown.find(':', begin);
    if (at != std::string::npos && colon < at) {
      shown.replace(colon + 1, at - colon - 1, kHidden);
    }
  }
  hide_query_secrets(shown);
  hide_property_secrets(shown);
  return shown;
}

std::string quoted(const std::string& text) {
  std::string shown = without_password(text);
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  return "'" + shown + "'";
}

}  // namespace gradcam
