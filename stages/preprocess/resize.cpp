#include "stages/preprocess/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace gradcam {
namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;  // u8 times weight, with room for sign and overshoot

/// Which input pixels an output pixel is made of, and with which weight.
struct Taps {
  int first = 0;
  std::vector<std::int32_t> weights;
};

/// The triangle filter, widened by the reduction: Pillow's precompute_coeffs.
std::vector<Taps> taps_of(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  const double support = std::max(scale, 1.0);
  std::vector<Taps> all(static_cast<std::size_t>(out));
  for (int x = 0; x < out; ++x) {
    const double center = (x + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(std::lround(center - support)));
    const int last = std::min(in, static_cast<int>(std::lround(center + support)));
    std::vector<double> weights;
    double sum = 0;
    for (int i = first; i < last; ++i) {
      weights.push_back(std::max(0.0, 1.0 - std::abs((i - center + 0.5) / support)));
      sum += weights.back();
    }
    Taps& taps = all[static_cast<std::size_t>(x)];
    taps.first = first;
    for (const double weight : weights) {
      const double fixed = weight / sum * (1 << kPrecisionBits);
      taps.weights.push_back(static_cast<std::int32_t>(std::lround(fixed)));
    }
  }
  return all;
}

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

cv::Mat resize_rows(const cv::Mat& picture, int width) {
  const std::vector<Taps> taps = taps_of(picture.cols, width);
  cv::Mat result(picture.rows, width, CV_8UC3);
  for (int y = 0; y < picture.rows; ++y) {
    const std::uint8_t* const in = picture.ptr<std::uint8_t>(y);
    std::uint8_t* out = result.ptr<std::uint8_t>(y);
    for (const Taps& t : taps) {
      std::int32_t sums[3] = {1 << (kPrecisionBits - 1), 1 << (kPrecisionBits - 1),
                              1 << (kPrecisionBits - 1)};
      const std::uint8_t* pixel = in + 3 * static_cast<std::ptrdiff_t>(t.first);
      for (const std::int32_t weight : t.weights) {
        sums[0] += pixel[0] * weight;
        sums[1] += pixel[1] * weight;
        sums[2] += pixel[2] * weight;
        pixel += 3;
      }
      for (const std::int32_t sum : sums) *out++ = to_byte(sum);
    }
  }
  return result;
}

cv::Mat resize_columns(const cv::Mat& picture, int height) {
  const std::vector<Taps> taps = taps_of(picture.rows, height);
  cv::Mat result(height, picture.cols, CV_8UC3);
  const std::size_t bytes = static_cast<std::size_t>(picture.cols) * 3;
  std::vector<std::int32_t> sums(bytes);
  for (int y = 0; y < height; ++y) {
    const Taps& t = taps[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), 1 << (kPrecisionBits - 1));
    for (std::size_t k = 0; k < t.weights.size(); ++k) {
      const std::uint8_t* const in = picture.ptr<std::uint8_t>(t.first + static_cast<int>(k));
      const std::int32_t weight = t.weights[k];
      for (std::size_t i = 0; i < bytes; ++i) sums[i] += in[i] * weight;
    }
    std::uint8_t* const out = result.ptr<std::uint8_t>(y);
    for (std::size_t i = 0; i < bytes; ++i) out[i] = to_byte(sums[i]);
  }
  return result;
}

/// Whether each column is resized before each row is: Pillow's rule since version 13, which saves
/// work where the height loses more than twice what the width loses. Both orders round in between,
/// so they differ by a grey level here and there.
bool columns_first(cv::Size from, cv::Size to) {
  const int lost_height = from.height - to.height;
  return lost_height > 0 && lost_height > 2 * (from.width - to.width);
}

}  // namespace

cv::Mat resize_antialiased(const cv::Mat& picture, cv::Size size) {
  CV_Assert(picture.type() == CV_8UC3 && !picture.empty() && !size.empty());
  const auto across = [&](const cv::Mat& in) {
    return in.cols == size.width ? in : resize_rows(in, size.width);
  };
  const auto down = [&](const cv::Mat& in) {
    return in.rows == size.height ? in : resize_columns(in, size.height);
  };
  const cv::Mat result =
      columns_first(picture.size(), size) ? across(down(picture)) : down(across(picture));
  return result.data == picture.data ? result.clone() : result;
}

}  // namespace gradcam
