#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "stages/explain/tasks/decode_boxes.h"

/// What the tests of decode() share.
namespace gradcam {

using Shape = std::vector<std::int64_t>;

/// For an input of 32x32.
inline std::vector<Detection> decoded(const std::vector<float>& output, const Shape& shape,
                                      const BoxLayout& layout, float threshold = 0.3F) {
  return decode(output, shape, layout, 32, 32, threshold);
}

inline void expect_box(const Box& box, const Box& expected) {
  EXPECT_NEAR(box.x1, expected.x1, 1e-4);
  EXPECT_NEAR(box.y1, expected.y1, 1e-4);
  EXPECT_NEAR(box.x2, expected.x2, 1e-4);
  EXPECT_NEAR(box.y2, expected.y2, 1e-4);
}

inline void expect_term(const SeedTerm& term, std::int64_t index, float weight) {
  EXPECT_EQ(term.index, index);
  EXPECT_FLOAT_EQ(term.weight, weight);
}

}  // namespace gradcam
