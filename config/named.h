#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

/// Tables whose rows give names to the values of an enum: one constexpr std::array per enum, from
/// which options, help, messages and keys are made. A row has at least the members `name` and
/// `value`, as Named has; tables in two halves (what is known of a value here, who does it there)
/// are joined by `value`. Standard library only.
namespace gradcam {

template <class T>
struct Named {
  std::string_view name;  ///< as users write it
  T value;
};
template <class T>
Named(const char*, T) -> Named<T>;

/// The row of this name; nullptr if there is none.
template <class Row, std::size_t N>
constexpr const Row* find_named(const std::array<Row, N>& table, std::string_view name) {
  for (const Row& row : table) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

/// The row of this value, which must be in the table.
template <class Row, std::size_t N>
constexpr const Row& row_of(const std::array<Row, N>& table, decltype(Row::value) value) {
  std::size_t i = 0;
  while (table.at(i).value != value) ++i;
  return table[i];
}

/// The row behind that of this value; behind the last, the first.
template <class Row, std::size_t N>
constexpr const Row& row_after(const std::array<Row, N>& table, decltype(Row::value) value) {
  const auto next = static_cast<std::size_t>(&row_of(table, value) - table.data()) + 1;
  return table[next % N];
}

/// Whether two tables have rows for the same values in the same order.
template <class One, class Other, std::size_t N, std::size_t M>
constexpr bool same_values(const std::array<One, N>& one, const std::array<Other, M>& other) {
  bool same = N == M;
  for (std::size_t i = 0; same && i < N; ++i) same = one[i].value == other[i].value;
  return same;
}

/// The names in the order of the table.
template <class Row, std::size_t N>
std::vector<std::string> names_of(const std::array<Row, N>& table) {
  std::vector<std::string> names;
  names.reserve(N);
  for (const Row& row : table) names.emplace_back(row.name);
  return names;
}

}  // namespace gradcam
