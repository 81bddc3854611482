#pragma once

#include <chrono>
#include <opencv2/core.hpp>

#include "stages/capture/pictures/picture.h"

namespace gradcam {

/// What becomes of a frame's place before the next one is laid on it; numbered as in PNG.
enum class Dispose { kKeep = 0, kClear = 1, kRestore = 2 };

/// The picture that the frames of an animation are laid on, one after another. At first
/// transparent.
class Canvas {
 public:
  explicit Canvas(cv::Size size);
  /// `frame`: BGRA u8, with its top left corner at `at`. `blend`: it is laid over what is there,
  /// else it takes its place. Throws UnreadablePicture if it does not lie within the canvas.
  StoredPicture show(const cv::Mat& frame, cv::Point at, bool blend, Dispose after);

 private:
  cv::Mat pixels_;  ///< BGRA u8
  cv::Mat restored_;
  cv::Rect place_;  ///< of the last frame
  Dispose after_ = Dispose::kKeep;
};

/// BGRA u8 of a picture of 8 or 16 bits.
cv::Mat to_bgra(const StoredPicture& picture);

/// How long a frame stands: what its file says. As browsers do it, none is 100 ms.
inline std::chrono::nanoseconds frame_time(std::chrono::nanoseconds said) {
  return said > std::chrono::nanoseconds(0) ? said : std::chrono::milliseconds(100);
}

}  // namespace gradcam
