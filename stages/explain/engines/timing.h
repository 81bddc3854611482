#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "stages/frame/clock.h"

namespace gradcam {

/// Time that `work` takes.
template <typename Work>
double milliseconds_of(const Work& work, const Now& now = Clock::now) {
  const auto begin = now();
  work();
  return std::chrono::duration<double, std::milli>(now() - begin).count();
}

/// The upper one of an even number; 0 of none.
inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace gradcam
