#pragma once

#include <opencv2/core.hpp>

#include "stages/picture/kernels/kernels.h"
#include "stages/picture/planes.h"
#include "stages/picture/taps.h"

namespace gradcam {

/// What the pixels that come out are, interleaved.
enum class PixelOrder { kRgb, kBgr, kGray };

/// What to resize: `crop` of the picture to `scaled`, of which only `used` is computed.
struct ResizePlan {
  cv::Size picture;
  cv::Rect crop;
  cv::Size scaled;
  cv::Rect used;
  bool antialias = true;

  bool operator==(const ResizePlan&) const = default;
};

/// Resizes a picture of 8 bits in any format to the size of a network's input, and converts it row
/// by row on the way: a row's colours exist only while they are resized. It rounds where
/// to_bgr() and resize_antialiased() (stages/preprocess/resize.h) round, in their order, so its
/// bytes are theirs but for weights of 15 bits instead of 22: one byte in some hundred differs, by
/// one level. (With ResNet-50 that moves a probability by 0.002 and a map by 0.01, at most.)
/// Without antialias it is cv::INTER_LINEAR within a level. Immutable; any thread.
class PlaneResizer {
 public:
  /// Throws std::invalid_argument where a rectangle is empty or lies outside.
  explicit PlaneResizer(const ResizePlan& plan);

  const ResizePlan& plan() const { return plan_; }

  /// `picture`: of the plan's size, 8 bits. `target`: u8, used.height x used.width, of 3 channels
  /// or (kGray: the luma of BT.601 of each pixel, as cv::COLOR_BGR2GRAY, then resized) 1; it may be
  /// a part of a larger one.
  void operator()(const PictureView& picture, PixelOrder order, cv::Mat target,
                  const kernels::Table& table = kernels::best()) const;

 private:
  class Rows;
  void rows_first(Rows& rows, PixelOrder order, cv::Mat& target) const;
  void columns_first(Rows& rows, PixelOrder order, cv::Mat& target) const;

  ResizePlan plan_;
  cv::Rect needed_;  // columns of the picture that have a weight, rows of the crop
  Taps across_;      // from the first of those columns
  Taps down_;
  bool columns_first_;
};

}  // namespace gradcam
