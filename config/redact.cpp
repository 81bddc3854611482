#include "config/redact.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

#include "config/text.h"

namespace gradcam {
namespace {

constexpr const char* kHidden = "***";

bool is_port(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

/// "12" of user:12/34@host could be a port; but none that anybody serves films on is so low, and an
/// address after the '@' is that of the host.
bool is_likely_port(const std::string& text, const std::string& after_at) {
  constexpr int kLowest = 80;
  constexpr int kHighest = 65535;
  if (!is_port(text)) return false;
  if (text.empty()) return true;
  const bool in_range =
      text.size() <= 5 && std::stoi(text) >= kLowest && std::stoi(text) <= kHighest;
  const std::string host = after_at.substr(0, after_at.find_first_of("/:?#"));
  const bool address = std::count(host.begin(), host.end(), '.') == 3 &&
                       host.find_first_not_of("0123456789.") == std::string::npos;
  return in_range && !address;
}

/// The part of a URL between "://" and the host's '@', or npos. Passwords that hold an unescaped
/// '/' are common: such an authority looks like host:port with a port that is none.
std::size_t at_sign_of(const std::string& url, std::size_t begin, std::size_t end) {
  const std::size_t path = std::min(url.find_first_of("/?#", begin), end);
  std::size_t at = url.rfind('@', path);
  if (at != std::string::npos && at >= begin && at < path) return at;
  const std::size_t colon = url.find(':', begin);
  if (colon >= path || url[begin] == '[') return std::string::npos;
  at = url.rfind('@', end);
  if (at == std::string::npos || at < colon) return std::string::npos;
  const std::string port = url.substr(colon + 1, path - colon - 1);
  return is_likely_port(port, url.substr(at + 1, end - at - 1)) ? std::string::npos : at;
}

/// The values of `?key=value&…` whose key names a secret.
void hide_query_secrets(std::string& text) {
  static constexpr std::array<std::string_view, 7> kParts = {"pass", "pwd",  "token", "secret",
                                                             "key",  "auth", "sig"};
  for (std::size_t mark = text.find_first_of("?&"); mark != std::string::npos;
       mark = text.find_first_of("?&", mark + 1)) {
    const std::size_t equals = text.find_first_of("=&#", mark + 1);
    if (equals == std::string::npos || text[equals] != '=') continue;
    const std::string key = lower_case(text.substr(mark + 1, equals - mark - 1));
    const auto names = [&](std::string_view part) { return key.find(part) != std::string::npos; };
    if (std::none_of(kParts.begin(), kParts.end(), names)) continue;
    const std::size_t end = std::min(text.find_first_of("&# \t\"'", equals), text.size());
    text.replace(equals + 1, end - equals - 1, kHidden);
  }
}

/// Where the value of a property that begins at `begin` has its own text: [first, second).
std::pair<std::size_t, std::size_t> value_of(const std::string& text, std::size_t begin) {
  if (begin < text.size() && text[begin] == '(') {  // (string)"…"
    begin = std::min(text.find(')', begin), text.size() - 1) + 1;
  }
  if (begin < text.size() && (text[begin] == '"' || text[begin] == '\'')) {
    std::size_t end = text.find(text[begin], begin + 1);
    while (end != std::string::npos && text[end - 1] == '\\') end = text.find(text[begin], end + 1);
    return {begin + 1, std::min(end, text.size())};
  }
  return {begin, std::min(text.find_first_of(" \t\n\r", begin), text.size())};
}

/// The values of the properties of GStreamer elements that hold a password.
void hide_property_secrets(std::string& text) {
  for (const std::string_view key :
       {"user-pw=", "proxy-pw=", "password=", "passphrase=", "cookies=", "extra-headers="}) {
    for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
      if (at == 0 || !is_space(text[at - 1])) continue;
      const auto [begin, end] = value_of(text, at + key.size());
      text.replace(begin, end - begin, kHidden);
    }
  }
}

/// Where the authority of the next URL begins and its scheme ends, from `from` on; npos if there is
/// none. "rtsp:/user:…" is a slip of the hand, but holds a password all the same.
std::pair<std::size_t, std::size_t> next_url(const std::string& text, std::size_t from) {
  for (std::size_t at = text.find(":/", from); at != std::string::npos;
       at = text.find(":/", at + 1)) {
    if (text.compare(at, 3, "://") == 0) return {at + 3, at};
    for (const std::string_view scheme : {"rtsp", "rtsps", "http", "https"}) {
      if (at >= scheme.size() && text.compare(at - scheme.size(), scheme.size(), scheme) == 0) {
        return {at + 2, at};
      }
    }
  }
  return {std::string::npos, std::string::npos};
}

/// Whether the text is one URL, and not words with URLs in them: then it ends where the text does.
bool is_url(const std::string& text, std::size_t scheme) {
  return scheme > 0 && std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(scheme),
                                   [](unsigned char c) { return std::isalnum(c) != 0; });
}

}  // namespace

std::string without_password(const std::string& text) {
  std::string shown = text;
  std::size_t from = 0;
  while (true) {
    const auto [begin, scheme] = next_url(shown, from);
    if (begin == std::string::npos) break;
    from = begin;
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

std::size_t credentials_end(const std::string& url) {
  const std::size_t scheme = url.find("://");
  return scheme == std::string::npos ? scheme : at_sign_of(url, scheme + 3, url.size());
}

std::string quoted(const std::string& text) {
  std::string shown = without_password(text);
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  return "'" + shown + "'";
}

}  // namespace gradcam
