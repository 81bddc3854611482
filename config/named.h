#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Names that users write for the values of an enum. Each enum has one constexpr array of rows;
/// options, help, messages and keys read it through the functions below. A row has at least the
/// members `name` and `value`, as Named has. Standard library only.
namespace gradcam {

template <class T>
struct Named {
  std::string_view name;
  T value;
};
template <class T>
Named(const char*, T) -> Named<T>;

/// The row of this name, or nullptr.
template <class Row, std::size_t N>
constexpr const Row* find_named(const std::array<Row, N>& table, std::string_view name) {
  for (const Row& row : table) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

/// The row of this value. Every value must be in the table.
template <class Row, std::size_t N>
constexpr const Row& row_of(const std::array<Row, N>& table, decltype(Row::value) value) {
  for (const Row& row : table) {
    if (row.value == value) return row;
  }
  return table.front();
}

/// Names in the order of the table.
template <class Row, std::size_t N>
std::vector<std::string> names_of(const std::array<Row, N>& table) {
  std::vector<std::string> names;
  names.reserve(N);
  for (const Row& row : table) names.emplace_back(row.name);
  return names;
}

/// The row after that of this value; after the last, the first.
template <class Row, std::size_t N>
constexpr const Row& row_after(const std::array<Row, N>& table, decltype(Row::value) value) {
  const auto next = static_cast<std::size_t>(&row_of(table, value) - table.data()) + 1;
  return table[next % N];
}

}  // namespace gradcam
