#include "stages/picture/taps.h"

#include <algorithm>
#include <cmath>

#include "stages/picture/kernels/kernels.h"

namespace gradcam {
namespace {

constexpr int kOne = 1 << kernels::kWeightBits;

/// Rounded, so that they add up to one: what is left over goes to the largest, of which it is the
/// smallest part. 16 bits hold no weight of one; a byte times 32767 / 32768 rounds to itself.
void round_weights(const std::vector<double>& exact, std::int16_t* out) {
  int sum = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    out[k] = static_cast<std::int16_t>(std::min(std::lround(exact[k] * kOne), long{kOne - 1}));
    sum += out[k];
  }
  std::int16_t& largest = *std::max_element(out, out + exact.size());
  largest = static_cast<std::int16_t>(std::min(largest + kOne - sum, kOne - 1));
}

int rounded_up(int value, int block) { return (value + block - 1) / block * block; }

}  // namespace

Taps triangle_taps(int in, int out, int begin, int end, bool antialias, int tap_block,
                   int output_block) {
  const double scale = static_cast<double>(in) / out;
  const double support = antialias ? std::max(scale, 1.0) : 1.0;
  Taps taps;
  taps.count = end - begin;
  std::vector<std::vector<double>> exact;
  for (int x = begin; x < end; ++x) {
    const double center = (x + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(std::lround(center - support)));
    const int last = std::min(in, static_cast<int>(std::lround(center + support)));
    std::vector<double> weights;
    double sum = 0;
    for (int i = first; i < last; ++i) {
      weights.push_back(std::max(0.0, 1.0 - std::abs((i - center + 0.5) / support)));
      sum += weights.back();
    }
    for (double& weight : weights) weight /= sum;
    taps.padded = std::max(taps.padded, rounded_up(last - first, tap_block));
    taps.first.push_back(first);
    taps.used.push_back(last - first);
    exact.push_back(std::move(weights));
  }
  const auto outputs = static_cast<std::size_t>(rounded_up(taps.count, output_block));
  taps.first.resize(outputs);
  taps.used.resize(outputs);
  taps.weights.resize(outputs * static_cast<std::size_t>(taps.padded));
  for (std::size_t i = 0; i < exact.size(); ++i) {
    round_weights(exact[i], taps.weights.data() + i * static_cast<std::size_t>(taps.padded));
  }
  return taps;
}

}  // namespace gradcam
