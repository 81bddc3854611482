#include "stages/capture/pictures/canvas.h"

#include <opencv2/imgproc.hpp>

#include "stages/capture/pictures/formats.h"

namespace gradcam {
namespace {

/// Both with colours that are not multiplied by alpha.
cv::Vec4b over(const cv::Vec4b& front, const cv::Vec4b& back) {
  constexpr int kOpaque = 255;
  const int front_share = front[3] * kOpaque;
  const int back_share = back[3] * (kOpaque - front[3]);
  const int sum = front_share + back_share;
  if (sum == 0) return front;
  cv::Vec4b result;
  for (int c = 0; c < 3; ++c) {
    result[c] =
        static_cast<std::uint8_t>((front[c] * front_share + back[c] * back_share + sum / 2) / sum);
  }
  result[3] = static_cast<std::uint8_t>((sum + kOpaque / 2) / kOpaque);
  return result;
}

void lay_over(const cv::Mat& frame, cv::Mat target) {
  for (int y = 0; y < frame.rows; ++y) {
    const auto* const front = frame.ptr<cv::Vec4b>(y);
    auto* const back = target.ptr<cv::Vec4b>(y);
    for (int x = 0; x < frame.cols; ++x) back[x] = over(front[x], back[x]);
  }
}

}  // namespace

Canvas::Canvas(cv::Size size) : pixels_(size, CV_8UC4, cv::Scalar::all(0)) {}

StoredPicture Canvas::show(const cv::Mat& frame, cv::Point at, bool blend, Dispose after) {
  const cv::Rect place(at, frame.size());
  if ((place & cv::Rect({0, 0}, pixels_.size())) != place) throw UnreadablePicture();
  if (after_ == Dispose::kClear) pixels_(place_).setTo(cv::Scalar::all(0));
  if (after_ == Dispose::kRestore) restored_.copyTo(pixels_(place_));
  place_ = place;
  after_ = after;
  if (after == Dispose::kRestore) restored_ = pixels_(place).clone();
  if (blend) {
    lay_over(frame, pixels_(place));
  } else {
    frame.copyTo(pixels_(place));
  }
  return split(pixels_);
}

cv::Mat to_bgra(const StoredPicture& picture) {
  cv::Mat bytes = picture.colours;
  if (bytes.depth() == CV_16U) bytes.convertTo(bytes, CV_8U, 1.0 / 257);
  cv::Mat bgra;
  cv::cvtColor(bytes, bgra, cv::COLOR_BGR2BGRA);
  if (!picture.alpha.empty()) cv::insertChannel(picture.alpha, bgra, 3);
  return bgra;
}

}  // namespace gradcam
