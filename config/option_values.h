#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/named.h"
#include "config/options.h"

namespace gradcam {

/// One kind of value: how it is read from text, printed, and described.
template <class T>
struct ValueKind {
  std::string allowed;                                       ///< completes "give …"
  std::function<std::optional<T>(const std::string&)> read;  ///< nullopt: not allowed
  std::function<std::string(const T&)> print;                ///< text that `read` takes back
};

/// Any text but the empty one; `what` says which ("a file").
ValueKind<std::string> text_value(const std::string& what);

/// "auto", "cpu", "cuda" or "cuda:N".
ValueKind<std::string> device_value();

/// Whole numbers from `least` to `most`; `zero`, if given, says what 0 means besides ("0 (all)").
ValueKind<std::int64_t> whole_number(std::int64_t least, std::int64_t most,
                                     const std::string& zero = "");

/// Finite numbers from `least` to `most`.
ValueKind<double> number(double least, double most);

/// A time in seconds: 12.5, 12.5s, 250ms, 2:03, 1:02:03.5.
ValueKind<double> seconds_value();

/// Left, top, right and bottom in fractions of a picture: "0,0.5,1,1". The whole picture prints as
/// the empty text.
ValueKind<std::array<double, 4>> region_value();
ValueKind<std::array<int, 2>> picture_size_value();

/// A colour, or none: that prints as the empty text.
ValueKind<std::optional<Colour>> colour_value();

/// true, false, and their usual other names.
ValueKind<bool> yes_or_no();

/// The same, and auto.
ValueKind<Choice> auto_or_yes_or_no();

/// Words that stand for themselves.
ValueKind<std::string> word(const std::vector<std::string>& words);

/// The names of a table of config/named.h, for its values.
template <class Row, std::size_t N>
auto one_of(const std::array<Row, N>& table) -> ValueKind<decltype(Row::value)> {
  using Value = decltype(Row::value);
  return {word(names_of(table)).allowed,
          [table](const std::string& text) -> std::optional<Value> {
            const Row* const row = find_named(table, text);
            return row == nullptr ? std::nullopt : std::optional<Value>(row->value);
          },
          [table](const Value& value) { return std::string(row_of(table, value).name); }};
}

}  // namespace gradcam
