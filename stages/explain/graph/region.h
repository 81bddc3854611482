#pragma once

#include <cstdint>
#include <span>
#include <vector>

/// Boxes of a tensor's numbers, and how they go through a change of shape. Pure functions.
namespace gradcam {

/// Places of one dimension that lie side by side.
struct Span {
  std::int64_t begin = 0;
  std::int64_t size = 0;

  std::int64_t end() const { return begin + size; }
  friend bool operator==(const Span&, const Span&) = default;
};

/// One span for each dimension.
using Region = std::vector<Span>;
using Sizes = std::span<const std::int64_t>;

Region all_of(Sizes shape);
/// How many numbers it holds.
std::int64_t count_of(const Region& region);
/// The smallest that holds both.
Span hull(const Span& one, const Span& other);
Region hull(Region one, const Region& other);
/// The number at `index` of a tensor of this shape, counted row by row.
Region number_at(std::int64_t index, Sizes shape);

/// A region before and after a change of shape that keeps the order of all numbers (view, flatten,
/// squeeze): the same numbers, in the same order.
struct Reshaped {
  Region from;
  Region to;
};
/// The smallest of which `to` holds `wanted`.
Reshaped through_reshape(const Region& wanted, Sizes from, Sizes to);

}  // namespace gradcam
