#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

#include "stages/picture/kernels/kernels.h"
#include "stages/picture/planes.h"

namespace gradcam {

/// How the colours of BGRA are to be read.
enum class Alpha {
  kStraight,       ///< as they would be without alpha
  kPremultiplied,  ///< times alpha: what drawing on transparent black gives
};

/// Something drawn once (HUD, title, gauge) that is laid on picture after picture. It holds for
/// each byte of the picture's planes what stays of it and what is added, so laying is one
/// multiplication and one addition. One thread draws; then any may lay.
class Tile {
 public:
  /// What the tile looks like: `bgra` u8 HxWx4. `format` (8 bits, YUV or BGR) and `color`: of the
  /// pictures it is laid on. Uses the memory of what was drawn before.
  void draw(const cv::Mat& bgra, Alpha alpha, PixelFormat format, const ColorDescription& color,
            const kernels::Table& table = kernels::best());

  cv::Size size() const { return size_; }

  /// Onto `picture`, with its upper left corner at `at`, which lies on a chroma sample; what is
  /// outside on the right or at the bottom is cut off. Throws std::invalid_argument on another
  /// format and on a place that does not fit.
  void lay(const PictureTarget& picture, cv::Point at,
           const kernels::Table& table = kernels::best()) const;

 private:
  /// 8.8 fixed point, one number for each byte of a plane.
  struct Layer {
    void resize(int bytes_of_row, int rows);
    std::size_t place(int y) const { return static_cast<std::size_t>(y) * row_bytes; }
    std::size_t row_bytes = 0;
    int height = 0;
    std::vector<std::uint16_t> keep;
    std::vector<std::uint16_t> add;
  };
  void draw_bgr(const cv::Mat& pixels);
  void draw_yuv(const cv::Mat& pixels, const ColorDescription& color, const kernels::Table& table);

  PixelFormat format_ = PixelFormat::kI420;
  cv::Size size_;
  Layer layers_[3];
  cv::Mat premultiplied_;
};

/// BGRA u8, premultiplied, of what was drawn twice: on black and on white (BGR u8 of one size).
cv::Mat bgra_of(const cv::Mat& on_black, const cv::Mat& on_white);

}  // namespace gradcam
