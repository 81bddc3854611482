#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gradcam {

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  bool operator==(const Colour&) const = default;
};

/// One of the names of HTML ("white", "navy") or #rrggbb, in small or capital letters.
std::optional<Colour> parse_colour(const std::string& text);

/// "#rrggbb"
std::string to_text(const Colour& colour);

}  // namespace gradcam
