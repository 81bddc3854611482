#pragma once

#include <opencv2/core.hpp>

#include "stages/picture/kernels/kernels.h"
#include "stages/picture/planes.h"

namespace gradcam {

/// Any picture as BGR u8 HxWx3, of its size, by the exact formula within one grey level; a chroma
/// sample colours all its pixels. Grey levels stay as they are.
cv::Mat to_bgr(const PictureView& picture, const kernels::Table& table = kernels::best());

/// The same at the size of `target` (BGR u8, may be part of a larger one): planes are resized first
/// (mean of the area where smaller, else bilinear), so that only pixels that are seen are
/// converted. Colours outside RGB are cut off after the resize, not before.
void draw_bgr(const PictureView& picture, cv::Mat& target,
              const kernels::Table& table = kernels::best());

/// Writes `from` into `to`, which has its size:
/// - the same format: a copy (the coding must be the same, too);
/// - BGR: as to_bgr();
/// - BGR, BGRx or grey into YUV of 8 bits: by the exact formula of `to.color`, within one level;
///   chroma is that of the mean of a sample's pixels;
/// - YUV into YUV of 8 bits with as much chroma or less (as 10 bits to 8, or 4:2:2 to NV12), in the
///   same coding: 10 bits are rounded, chroma is the mean.
/// Throws std::invalid_argument on anything else. Any thread.
void convert(const PictureView& from, const PictureTarget& to,
             const kernels::Table& table = kernels::best());

/// Fills the picture (8 bits) with one colour, BGR.
void fill(const PictureTarget& picture, const cv::Scalar& bgr);

}  // namespace gradcam
