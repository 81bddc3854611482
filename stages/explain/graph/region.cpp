#include "stages/explain/graph/region.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>

namespace gradcam {
namespace {

std::int64_t product(Sizes sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

/// From the first to the last number of a region, counted row by row.
Span range_of(std::span<const Span> region, Sizes sizes) {
  std::int64_t first = 0;
  std::int64_t last = 0;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    first = first * sizes[d] + region[d].begin;
    last = last * sizes[d] + region[d].end() - 1;
  }
  return {first, last - first + 1};
}

/// The smallest region that holds the range and whose numbers lie side by side.
Region around(Span range, Sizes sizes) {
  Region region;
  std::int64_t below = product(sizes);
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    below /= sizes[d];
    const std::int64_t first = range.begin / below;
    const std::int64_t last = (range.end() - 1) / below;
    region.push_back({first, last - first + 1});
    if (first == last) {
      range.begin -= first * below;
      continue;
    }
    for (++d; d < sizes.size(); ++d) region.push_back({0, sizes[d]});
  }
  return region;
}

/// The next dimensions of both shapes that hold equally many numbers.
struct Group {
  Sizes from;
  Sizes to;
};

Group next_group(Sizes from, Sizes to) {
  std::size_t i = std::min<std::size_t>(1, from.size());
  std::size_t j = std::min<std::size_t>(1, to.size());
  while (product(from.first(i)) != product(to.first(j))) {
    product(from.first(i)) < product(to.first(j)) ? ++i : ++j;
  }
  return {from.first(i), to.first(j)};
}

}  // namespace

Region all_of(Sizes shape) {
  Region region;
  for (const std::int64_t size : shape) region.push_back({0, size});
  return region;
}

std::int64_t count_of(const Region& region) {
  std::int64_t count = 1;
  for (const Span& span : region) count *= span.size;
  return count;
}

Span hull(const Span& one, const Span& other) {
  const std::int64_t begin = std::min(one.begin, other.begin);
  return {begin, std::max(one.end(), other.end()) - begin};
}

Region hull(Region one, const Region& other) {
  for (std::size_t d = 0; d < one.size(); ++d) one[d] = hull(one[d], other[d]);
  return one;
}

Region number_at(std::int64_t index, Sizes shape) { return around({index, 1}, shape); }

Reshaped through_reshape(const Region& wanted, Sizes from, Sizes to) {
  Reshaped all;
  std::span<const Span> left(wanted);
  while (!from.empty() || !to.empty()) {
    const Group group = next_group(from, to);
    Span range = range_of(left, group.to);
    for (Span last{}; last != range;) {
      last = range;
      range = range_of(around(range, group.from), group.from);
      range = range_of(around(range, group.to), group.to);
    }
    const Region before = around(range, group.from);
    const Region after = around(range, group.to);
    all.from.insert(all.from.end(), before.begin(), before.end());
    all.to.insert(all.to.end(), after.begin(), after.end());
    from = from.subspan(group.from.size());
    to = to.subspan(group.to.size());
    left = left.subspan(group.to.size());
  }
  return all;
}

}  // namespace gradcam
