#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "stages/picture/convert.h"
#include "stages/picture/planes.h"

namespace gradcam {

/// A picture with memory of its own: rows have bytes behind them, and so do planes, of a value that
/// nobody may change.
class MadePicture {
 public:
  static constexpr int kBehind = 13;
  static constexpr std::uint8_t kGuard = 0xA5;

  MadePicture(PixelFormat format, cv::Size size, const ColorDescription& color = {})
      : planes_{format, size.width, size.height, color} {
    const FormatInfo& info = format_info(format);
    for (std::size_t p = 0; p < static_cast<std::size_t>(info.planes); ++p) {
      const cv::Size plane = plane_size(format, size, static_cast<int>(p));
      const int stride = plane.width * info.bytes[p] + kBehind;
      memory_[p].assign(static_cast<std::size_t>(stride) * plane.height, kGuard);
      planes_.planes[p] = {memory_[p].data(), stride, plane.width, plane.height};
    }
  }

  const PictureTarget& target() const { return planes_; }
  PictureView view() const { return view_of(planes_); }

  /// Row y of a plane, without what is behind it.
  cv::Mat samples(int p) const {
    const auto place = static_cast<std::size_t>(p);
    const WritablePlane& plane = planes_.planes[place];
    return {plane.height, plane.width * format_info(planes_.format).bytes[place], CV_8U, plane.data,
            static_cast<std::size_t>(plane.stride)};
  }

  void fill_randomly(int low, int high, std::uint64_t seed = 1) {
    cv::RNG random(seed);
    for (int p = 0; p < format_info(planes_.format).planes; ++p) {
      random.fill(samples(p), cv::RNG::UNIFORM, low, high);
    }
  }

  void expect_guards() const {
    const FormatInfo& info = format_info(planes_.format);
    for (std::size_t p = 0; p < static_cast<std::size_t>(info.planes); ++p) {
      const WritablePlane& plane = planes_.planes[p];
      for (int y = 0; y < plane.height; ++y) {
        const std::uint8_t* const end = plane.row(y) + std::ptrdiff_t{plane.width} * info.bytes[p];
        for (int i = 0; i < kBehind; ++i)
          ASSERT_EQ(end[i], kGuard) << "plane " << p << " row " << y;
      }
    }
  }

 private:
  PictureTarget planes_;
  std::array<std::vector<std::uint8_t>, 3> memory_;
};

/// Largest difference of two pictures of one format, over all planes.
inline double difference(const MadePicture& a, const MadePicture& b) {
  double most = 0;
  for (int p = 0; p < format_info(a.view().format).planes; ++p) {
    most = std::max(most, cv::norm(a.samples(p), b.samples(p), cv::NORM_INF));
  }
  return most;
}

/// Soft shapes of all colours with some noise, as films have them: BGR u8.
inline cv::Mat film_like(cv::Size size, std::uint64_t seed = 3) {
  cv::RNG random(seed);
  cv::Mat coarse(std::max(2, size.height / 40), std::max(2, size.width / 40), CV_8UC3);
  random.fill(coarse, cv::RNG::UNIFORM, 40, 215);
  cv::Mat picture;
  cv::resize(coarse, picture, size, 0, 0, cv::INTER_CUBIC);
  cv::Mat noise(size, CV_16SC3);
  random.fill(noise, cv::RNG::NORMAL, 0, 3);
  cv::Mat noisy;
  picture.convertTo(noisy, CV_16SC3);
  noisy += noise;
  noisy.convertTo(picture, CV_8UC3);
  return picture;
}

/// What convert() makes of BGR, but in floating point.
inline MadePicture exact_yuv(const cv::Mat& bgr, PixelFormat format,
                             const ColorDescription& color) {
  MadePicture made(format, bgr.size(), color);
  const FormatInfo& info = format_info(format);
  const YuvScale scale = yuv_scale(color);
  const auto byte = [](double value) { return cv::saturate_cast<std::uint8_t>(value); };
  for (int y = 0; y < bgr.rows; ++y) {
    for (int x = 0; x < bgr.cols; ++x) {
      const cv::Vec3b& pixel = bgr.at<cv::Vec3b>(y, x);
      made.target().planes[0].row(y)[x] = byte(yuv_of(pixel[0], pixel[1], pixel[2], scale)[0]);
    }
  }
  const cv::Size chroma = plane_size(format, bgr.size(), 1);
  for (int y = 0; y < chroma.height; ++y) {
    const int bottom = std::min((y + 1) << info.chroma_y, bgr.rows);
    for (int x = 0; x < chroma.width; ++x) {
      const int right = std::min((x + 1) << info.chroma_x, bgr.cols);
      cv::Vec3d sum;
      int pixels = 0;
      for (int row = y << info.chroma_y; row < bottom; ++row) {
        for (int column = x << info.chroma_x; column < right; ++column, ++pixels) {
          sum += bgr.at<cv::Vec3b>(row, column);
        }
      }
      sum /= pixels;
      const auto yuv = yuv_of(sum[0], sum[1], sum[2], scale);
      const auto& planes = made.target().planes;
      planes[1].row(y)[info.interleaved() ? 2 * x : x] = byte(yuv[1]);
      planes[info.interleaved() ? 1 : 2].row(y)[info.interleaved() ? 2 * x + 1 : x] = byte(yuv[2]);
    }
  }
  return made;
}

inline const ColorDescription kSd{YuvMatrix::kBt601, ColorRange::kLimited};
inline const ColorDescription kHd{YuvMatrix::kBt709, ColorRange::kLimited};
inline const ColorDescription kUhd{YuvMatrix::kBt2020, ColorRange::kLimited};
inline const ColorDescription kJpeg{YuvMatrix::kBt601, ColorRange::kFull};
inline const ColorDescription kHdFull{YuvMatrix::kBt709, ColorRange::kFull};
inline const ColorDescription kUhdFull{YuvMatrix::kBt2020, ColorRange::kFull};

/// The sets of instructions that this machine has.
inline std::vector<const kernels::Table*> tables() {
  std::vector<const kernels::Table*> found;
  for (const kernels::Set set : kernels::kSets) {
    if (const kernels::Table* const table = kernels::table_of(set)) found.push_back(table);
  }
  return found;
}

}  // namespace gradcam
