#include "config/option_values.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>
#include <string_view>

#include "config/text.h"

namespace gradcam {
namespace {

constexpr double kLongestSeconds = 1e9;

/// The whole of `text` as a number, independent of the locale.
template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The shortest text that reads back to the same number.
std::string print_double(const double& value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// H:MM:SS.sss or M:SS.sss
std::optional<double> parse_clock(std::string_view text) {
  double whole = 0;
  int fields = 0;
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
       colon = text.find(':')) {
    const std::string_view field = text.substr(0, colon);
    const auto value = all_digits(field) ? parse<int>(field) : std::nullopt;
    if (!value || (fields > 0 && *value >= 60) || fields == 2) return std::nullopt;
    whole = whole * 60 + *value;
    text.remove_prefix(colon + 1);
    ++fields;
  }
  const auto seconds = parse<double>(text);
  if (!seconds || !(*seconds >= 0 && *seconds < 60)) return std::nullopt;
  return whole * 60 + *seconds;
}

std::optional<double> parse_seconds(std::string_view text) {
  std::optional<double> value;
  if (text.find(':') != std::string_view::npos) {
    value = parse_clock(text);
  } else if (text.size() > 2 && text.substr(text.size() - 2) == "ms") {
    value = parse<double>(text.substr(0, text.size() - 2));
    if (value) *value /= 1000;
  } else {
    if (text.size() > 1 && text.back() == 's') text.remove_suffix(1);
    value = parse<double>(text);
  }
  if (value && !(*value >= 0 && *value <= kLongestSeconds)) return std::nullopt;
  return value;
}

std::string print_text(const std::string& text) { return text; }

}  // namespace

ValueKind<std::string> text_value(const std::string& what) {
  return {what,
          [](const std::string& text) {
            return text.empty() ? std::nullopt : std::optional<std::string>(text);
          },
          print_text};
}

ValueKind<std::string> device_value() {
  return {"auto, cpu, cuda or cuda:N",
          [](const std::string& text) -> std::optional<std::string> {
            if (text == "auto" || text == "cpu" || text == "cuda") return text;
            constexpr std::string_view kCuda = "cuda:";
            constexpr std::size_t kMostDigits = 2;
            const bool numbered =
                text.rfind(kCuda, 0) == 0 && all_digits(text.substr(kCuda.size()));
            if (!numbered || text.size() > kCuda.size() + kMostDigits) return std::nullopt;
            return text;
          },
          print_text};
}

ValueKind<std::int64_t> whole_number(std::int64_t least, std::int64_t most,
                                     const std::string& zero) {
  const bool open = most == std::numeric_limits<std::int64_t>::max();
  std::string allowed = zero.empty() ? "" : "0 (" + zero + ") or ";
  allowed += "a whole number, " + std::to_string(least);
  allowed += open ? " or more" : " to " + std::to_string(most);
  return {allowed,
          [=](const std::string& text) -> std::optional<std::int64_t> {
            const auto value = parse<std::int64_t>(text);
            if (!value) return std::nullopt;
            const bool off = *value == 0 && !zero.empty();
            return off || (*value >= least && *value <= most) ? value : std::nullopt;
          },
          [](const std::int64_t& value) { return std::to_string(value); }};
}

ValueKind<double> number(double least, double most) {
  return {"a number from " + print_double(least) + " to " + print_double(most),
          [=](const std::string& text) -> std::optional<double> {
            const auto value = parse<double>(text);
            return value && *value >= least && *value <= most ? value : std::nullopt;
          },
          print_double};
}

ValueKind<double> seconds_value() {
  return {"a time such as 12.5, 12.5s, 250ms or 1:02:03.5",
          [](const std::string& text) { return parse_seconds(text); }, print_double};
}

ValueKind<std::array<double, 4>> region_value() {
  using Region = std::array<double, 4>;
  return {"LEFT,TOP,RIGHT,BOTTOM in fractions 0..1 of the picture",
          [](const std::string& text) -> std::optional<Region> {
            Region edges{};
            int used = 0;
            const int read = std::sscanf(text.c_str(), "%lf,%lf,%lf,%lf%n", &edges[0], &edges[1],
                                         &edges[2], &edges[3], &used);
            const bool whole = read == 4 && used == static_cast<int>(text.size());
            const bool inside = edges[0] >= 0 && edges[1] >= 0 && edges[2] <= 1 && edges[3] <= 1;
            const bool has_area = edges[0] < edges[2] && edges[1] < edges[3];
            return whole && inside && has_area ? std::optional(edges) : std::nullopt;
          },
          [](const Region& edges) {
            std::string text;
            if (edges == Region{0, 0, 1, 1}) return text;
            for (const double edge : edges) text += (text.empty() ? "" : ",") + print_double(edge);
            return text;
          }};
}

ValueKind<std::array<int, 2>> picture_size_value() {
  using Size = std::array<int, 2>;
  return {"HEIGHTxWIDTH in pixels, 1..8192, or one number for both",
          [](const std::string& text) -> std::optional<Size> {
            constexpr int kMost = 8192;
            Size size{};
            int used = 0;
            int one_used = 0;
            const int read =
                std::sscanf(text.c_str(), "%d%nx%d%n", &size[0], &one_used, &size[1], &used);
            if (read == 1) {
              size[1] = size[0];
              used = one_used;
            }
            const bool whole = read >= 1 && used == static_cast<int>(text.size());
            const auto fits = [](int side) { return side >= 1 && side <= kMost; };
            return whole && fits(size[0]) && fits(size[1]) ? std::optional(size) : std::nullopt;
          },
          [](const Size& size) {
            if (size == Size{}) return std::string();
            return std::to_string(size[0]) + "x" + std::to_string(size[1]);
          }};
}

ValueKind<std::optional<Colour>> colour_value() {
  return {"a colour such as white, gray or #rrggbb",
          [](const std::string& text) -> std::optional<std::optional<Colour>> {
            const std::optional<Colour> colour = parse_colour(text);
            return colour ? std::make_optional(colour) : std::nullopt;
          },
          [](const std::optional<Colour>& colour) { return colour ? to_text(*colour) : ""; }};
}

ValueKind<bool> yes_or_no() {
  return {"true or false",
          [](const std::string& text) -> std::optional<bool> {
            const std::string word = lower_case(text);
            if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
            if (word == "false" || word == "no" || word == "off" || word == "0") return false;
            return std::nullopt;
          },
          [](const bool& value) { return std::string(value ? "true" : "false"); }};
}

ValueKind<Choice> auto_or_yes_or_no() {
  const ValueKind<bool> sure = yes_or_no();
  return {"auto, true or false",
          [sure](const std::string& text) -> std::optional<Choice> {
            if (text == "auto") return Choice::kAuto;
            const auto value = sure.read(text);
            if (!value) return std::nullopt;
            return *value ? Choice::kYes : Choice::kNo;
          },
          [sure](const Choice& value) {
            return value == Choice::kAuto ? std::string("auto") : sure.print(value == Choice::kYes);
          }};
}

ValueKind<std::string> word(const std::vector<std::string>& words) {
  return {(words.size() > 1 ? "one of " : "") + listed(words),
          [words](const std::string& text) {
            const bool known = std::find(words.begin(), words.end(), text) != words.end();
            return known ? std::optional<std::string>(text) : std::nullopt;
          },
          print_text};
}

}  // namespace gradcam
