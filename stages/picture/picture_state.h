#pragma once

#include <memory>
#include <mutex>
#include <opencv2/core.hpp>

#include "stages/picture/picture.h"

namespace gradcam {

/// What the handles of one picture share.
struct Picture::State {
  State(const PictureView& view, std::shared_ptr<const void> keeper, cv::Mat pixels = {});

  PictureView planes;
  std::shared_ptr<const void> owner;
  mutable std::mutex mutex;
  mutable cv::Mat bgr;  ///< guarded by mutex while it is empty; then it stays
};

}  // namespace gradcam
