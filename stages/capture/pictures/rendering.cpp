#include "stages/capture/pictures/rendering.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <utility>

namespace gradcam {
namespace {

constexpr double kWhite = 255;

std::string text_of(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", number);
  return text.data();
}

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double largest = -std::numeric_limits<double>::infinity();
};

/// Of the numbers that are finite; empty (least above largest) if none is.
Range range_of(const cv::Mat& numbers) {
  Range range;
  const cv::Mat flat = numbers.reshape(1);
  for (int y = 0; y < flat.rows; ++y) {
    const auto* const row = flat.ptr<float>(y);
    for (int x = 0; x < flat.cols; ++x) {
      if (!std::isfinite(row[x])) continue;
      range.least = std::min<double>(range.least, row[x]);
      range.largest = std::max<double>(range.largest, row[x]);
    }
  }
  return range;
}

cv::Mat on_background(const cv::Mat& colours, const cv::Mat& alpha, const Colour& background) {
  constexpr int kOpaque = 255;
  const std::array<int, 3> bgr = {background.blue, background.green, background.red};
  cv::Mat result(colours.size(), CV_8UC3);
  for (int y = 0; y < colours.rows; ++y) {
    const auto* const colour = colours.ptr<cv::Vec3b>(y);
    const auto* const share = alpha.ptr<std::uint8_t>(y);
    auto* const out = result.ptr<cv::Vec3b>(y);
    for (int x = 0; x < colours.cols; ++x) {
      for (int c = 0; c < 3; ++c) {
        const int sum = colour[x][c] * share[x] + bgr[c] * (kOpaque - share[x]);
        out[x][c] = static_cast<std::uint8_t>((sum + kOpaque / 2) / kOpaque);
      }
    }
  }
  return result;
}

}  // namespace

Rendering::Rendering(std::optional<Colour> background, Tell tell)
    : background_(background), tell_(tell ? std::move(tell) : [](const std::string&) {}) {}

cv::Mat Rendering::render(const StoredPicture& picture, const std::string& name) {
  cv::Mat bytes = to_bytes(picture.colours, name);
  if (picture.white_is_zero) bytes = cv::Scalar::all(kWhite) - bytes;
  if (picture.alpha.empty()) return bytes;
  if (background_) return on_background(bytes, picture.alpha, *background_);
  tell_hidden(picture.alpha, name);
  return bytes;
}

cv::Mat Rendering::to_bytes(const cv::Mat& colours, const std::string& name) {
  if (colours.depth() == CV_8U) return colours;
  return colours.depth() == CV_16U ? from_16_bits(colours, name) : from_float(colours, name);
}

cv::Mat Rendering::from_16_bits(const cv::Mat& colours, const std::string& name) {
  constexpr int kMost = 16;
  double largest = 0;
  cv::minMaxLoc(colours.reshape(1), nullptr, &largest);
  if (largest == 0) return cv::Mat(colours.size(), CV_8UC3, cv::Scalar::all(0));
  int bits = std::max(bits_, 10);
  while (bits < kMost && largest >= std::exp2(bits)) bits += 2;
  if (bits != std::exchange(bits_, bits) && bits < kMost) {
    tell_(name + " holds 16-bit numbers up to " + text_of(largest) + ": taken for " +
          std::to_string(bits) + " bits, " + text_of(std::exp2(bits) - 1) + " is white");
  }
  cv::Mat bytes(colours.size(), CV_8UC3);
  const int shift = bits - 8;
  for (int y = 0; y < colours.rows; ++y) {
    const auto* const in = colours.ptr<std::uint16_t>(y);
    auto* const out = bytes.ptr<std::uint8_t>(y);
    for (int i = 0; i < 3 * colours.cols; ++i) out[i] = static_cast<std::uint8_t>(in[i] >> shift);
  }
  return bytes;
}

cv::Mat Rendering::from_float(const cv::Mat& colours, const std::string& name) {
  const Range range = range_of(colours);
  if (range.least > range.largest) return cv::Mat(colours.size(), CV_8UC3, cv::Scalar::all(0));
  if (!own_range_ && (range.least < 0 || range.largest > 1)) {
    own_range_ = true;
    least_ = range.least;
    largest_ = range.largest;
    tell_(name + " holds numbers from " + text_of(least_) + " to " + text_of(largest_) +
          ", not from 0 to 1: the least is shown black, the largest white");
  }
  if (own_range_) {
    least_ = std::min(least_, range.least);
    largest_ = std::max(largest_, range.largest);
  }
  const double scale = largest_ > least_ ? kWhite / (largest_ - least_) : 0;
  cv::Mat bytes(colours.size(), CV_8UC3);
  for (int y = 0; y < colours.rows; ++y) {
    const auto* const in = colours.ptr<float>(y);
    auto* const out = bytes.ptr<std::uint8_t>(y);
    for (int i = 0; i < 3 * colours.cols; ++i) {
      const double level = (in[i] - least_) * scale;  // no number at all is black
      out[i] = static_cast<std::uint8_t>(level > 0 ? std::lround(std::min(level, kWhite)) : 0);
    }
  }
  return bytes;
}

/// A soft edge or a speck does not count.
void Rendering::tell_hidden(const cv::Mat& alpha, const std::string& name) {
  constexpr double kConsiderable = 0.01;
  constexpr int kHalf = 128;
  if (told_hidden_) return;
  const double share = cv::countNonZero(alpha < kHalf) / static_cast<double>(alpha.total());
  if (share < kConsiderable) return;
  told_hidden_ = true;
  tell_(name + ": " + std::to_string(std::lround(100 * share)) +
        " % of it is transparent, and the network sees the colours that are stored there, which " +
        "viewers do not show; --background COLOUR (white, #rrggbb) lays it on a colour");
}

}  // namespace gradcam
