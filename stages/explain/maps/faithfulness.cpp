#include "stages/explain/maps/faithfulness.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gradcam {

Blob masked(const Blob& blob, const HeatMap& heat, std::span<const float> ground) {
  Blob result = blob;
  const auto channels = static_cast<std::size_t>(blob.channels);
  for (std::size_t i = 0; i < heat.values.size(); ++i) {
    for (std::size_t c = 0; c < channels; ++c) {
      const auto pixel = static_cast<float>(blob.pixels[channels * i + c]);
      const float value = ground[c] + (pixel - ground[c]) * std::clamp(heat.values[i], 0.F, 1.F);
      result.pixels[channels * i + c] = static_cast<std::uint8_t>(std::lround(value));
    }
  }
  return result;
}

HeatMap no_heat(const Blob& blob) {
  const auto places = static_cast<std::size_t>(blob.height) * static_cast<std::size_t>(blob.width);
  return {blob.height, blob.width, std::pmr::vector<float>(places, 0.F)};
}

std::vector<std::size_t> hottest_first(const HeatMap& heat) {
  std::vector<std::size_t> order(heat.values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return heat.values[a] > heat.values[b]; });
  return order;
}

Blob exchanged(const Blob& to, const Blob& from, std::span<const std::size_t> order,
               std::size_t count) {
  Blob result = to;
  const auto channels = static_cast<std::size_t>(to.channels);
  for (const std::size_t place : order.first(count)) {
    const std::size_t begin = channels * place;
    std::copy_n(from.pixels.begin() + static_cast<std::ptrdiff_t>(begin), channels,
                result.pixels.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  return result;
}

Blob blurred(const Blob& blob) {
  const int square = std::max(1, std::min(blob.height, blob.width) / 8);
  Blob result = blob;
  for (int top = 0; top < blob.height; top += square) {
    for (int left = 0; left < blob.width; left += square) {
      const int bottom = std::min(top + square, blob.height);
      const int right = std::min(left + square, blob.width);
      for (int c = 0; c < blob.channels; ++c) {
        const auto at = [&](int y, int x) {
          return (static_cast<std::size_t>(y) * static_cast<std::size_t>(blob.width) +
                  static_cast<std::size_t>(x)) *
                     static_cast<std::size_t>(blob.channels) +
                 static_cast<std::size_t>(c);
        };
        int sum = 0;
        for (int y = top; y < bottom; ++y) {
          for (int x = left; x < right; ++x) sum += blob.pixels[at(y, x)];
        }
        const int count = (bottom - top) * (right - left);
        for (int y = top; y < bottom; ++y) {
          for (int x = left; x < right; ++x) {
            result.pixels[at(y, x)] = static_cast<std::uint8_t>((sum + count / 2) / count);
          }
        }
      }
    }
  }
  return result;
}

double area_under(std::span<const double> curve) {
  double sum = 0;
  for (std::size_t i = 1; i < curve.size(); ++i) sum += (curve[i - 1] + curve[i]) / 2;
  return curve.size() > 1 ? sum / static_cast<double>(curve.size() - 1) : 0;
}

double correlation(const HeatMap& one, const HeatMap& other) {
  const auto mean_of = [](const HeatMap& map) {
    return std::accumulate(map.values.begin(), map.values.end(), 0.0) /
           static_cast<double>(map.values.size());
  };
  const double mean_one = mean_of(one);
  const double mean_other = mean_of(other);
  double product = 0;
  double square_one = 0;
  double square_other = 0;
  for (std::size_t i = 0; i < one.values.size(); ++i) {
    const double a = static_cast<double>(one.values[i]) - mean_one;
    const double b = static_cast<double>(other.values[i]) - mean_other;
    product += a * b;
    square_one += a * a;
    square_other += b * b;
  }
  if (square_one == 0 || square_other == 0) return square_one == square_other ? 1 : 0;
  return product / std::sqrt(square_one * square_other);
}

}  // namespace gradcam
