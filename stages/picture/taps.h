#pragma once

#include <cstdint>
#include <vector>

namespace gradcam {

/// Which inputs each output of a resize is made of, and with which weights.
struct Taps {
  int count = 0;                      ///< of outputs, without those that fill up
  int padded = 0;                     ///< weights of each output; those behind its own are 0
  std::vector<int> first;             ///< input
  std::vector<int> used;              ///< weights that are not padding
  std::vector<std::int16_t> weights;  ///< in 1/32768; their sum is 32768, or 32767 of a single one

  int end() const { return first[last()] + used[last()]; }
  std::size_t last() const { return static_cast<std::size_t>(count) - 1; }
};

/// The outputs [begin, end) of a resize from `in` to `out` inputs, by the triangle filter. With
/// `antialias` it is widened by the reduction, as Pillow's precompute_coeffs does for
/// Image.resize(BILINEAR); without, it is cv::INTER_LINEAR. Weights are filled up with zeros to a
/// multiple of `tap_block`, outputs to one of `output_block`.
Taps triangle_taps(int in, int out, int begin, int end, bool antialias, int tap_block,
                   int output_block);

}  // namespace gradcam
