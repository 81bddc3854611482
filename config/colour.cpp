#include "config/colour.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <string_view>

#include "config/text.h"

namespace gradcam {
namespace {

struct NamedColour {
  std::string_view name;
  Colour colour;
};

/// The sixteen of HTML 4, other names of three of them, and orange.
constexpr std::array kColours = {
    NamedColour{"black", {0, 0, 0}},       NamedColour{"silver", {192, 192, 192}},
    NamedColour{"gray", {128, 128, 128}},  NamedColour{"grey", {128, 128, 128}},
    NamedColour{"white", {255, 255, 255}}, NamedColour{"maroon", {128, 0, 0}},
    NamedColour{"red", {255, 0, 0}},       NamedColour{"purple", {128, 0, 128}},
    NamedColour{"fuchsia", {255, 0, 255}}, NamedColour{"magenta", {255, 0, 255}},
    NamedColour{"green", {0, 128, 0}},     NamedColour{"lime", {0, 255, 0}},
    NamedColour{"olive", {128, 128, 0}},   NamedColour{"yellow", {255, 255, 0}},
    NamedColour{"navy", {0, 0, 128}},      NamedColour{"blue", {0, 0, 255}},
    NamedColour{"teal", {0, 128, 128}},    NamedColour{"aqua", {0, 255, 255}},
    NamedColour{"cyan", {0, 255, 255}},    NamedColour{"orange", {255, 165, 0}},
};

}  // namespace

std::optional<Colour> parse_colour(const std::string& text) {
  const std::string word = lower_case(text);
  const auto* const named = std::find_if(kColours.begin(), kColours.end(),
                                         [&](const auto& entry) { return entry.name == word; });
  if (named != kColours.end()) return named->colour;
  constexpr std::size_t kLength = 7;
  constexpr int kHexadecimal = 16;
  if (word.size() != kLength || word[0] != '#') return std::nullopt;
  std::uint32_t value = 0;
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data() + 1, end, value, kHexadecimal);
  if (error != std::errc() || stop != end) return std::nullopt;
  return Colour{static_cast<std::uint8_t>(value >> 16),
                static_cast<std::uint8_t>(value >> 8 & 0xFF),
                static_cast<std::uint8_t>(value & 0xFF)};
}

std::string to_text(const Colour& colour) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", colour.red, colour.green, colour.blue);
  return text.data();
}

}  // namespace gradcam
