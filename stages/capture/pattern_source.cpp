#include "stages/capture/pattern_source.h"

#include <array>
#include <opencv2/imgproc.hpp>
#include <string>

namespace gradcam {
namespace {

constexpr int kWidth = 640;
constexpr int kHeight = 480;
constexpr int kFramesPerSecond = 25;
constexpr int kPixelsPerFrame = 4;

cv::Mat make_bars() {
  const std::array<cv::Scalar, 8> colours = {cv::Scalar(255, 255, 255), cv::Scalar(0, 255, 255),
                                             cv::Scalar(255, 255, 0),   cv::Scalar(0, 255, 0),
                                             cv::Scalar(255, 0, 255),   cv::Scalar(0, 0, 255),
                                             cv::Scalar(255, 0, 0),     cv::Scalar(0, 0, 0)};
  constexpr int kBarWidth = kWidth / 8;
  cv::Mat bars(kHeight, 2 * kWidth, CV_8UC3);
  for (int i = 0; i < 16; ++i) {
    bars(cv::Rect(i * kBarWidth, 0, kBarWidth, kHeight)) = colours[static_cast<size_t>(i % 8)];
  }
  return bars;
}

}  // namespace

PatternSource::PatternSource() : bars_(make_bars()) {
  info_.name = "test";
  info_.width = kWidth;
  info_.height = kHeight;
  info_.frames_per_second = kFramesPerSecond;
}

Capture PatternSource::next(std::chrono::milliseconds /*timeout*/) {
  const int shift = static_cast<int>(seq_ * kPixelsPerFrame % kWidth);
  Captured captured;
  captured.image = bars_(cv::Rect(shift, 0, kWidth, kHeight)).clone();
  cv::circle(captured.image, {shift, kHeight / 2}, kHeight / 8, cv::Scalar(64, 128, 192),
             cv::FILLED);
  cv::rectangle(captured.image, cv::Rect(0, kHeight - 60, 240, 60), cv::Scalar(0, 0, 0),
                cv::FILLED);
  cv::putText(captured.image, std::to_string(seq_), {12, kHeight - 16}, cv::FONT_HERSHEY_SIMPLEX,
              1.4, cv::Scalar(255, 255, 255), 2);
  captured.duration = std::chrono::nanoseconds(std::chrono::seconds(1)) / kFramesPerSecond;
  captured.pts = seq_ * captured.duration;
  ++seq_;
  return captured;
}

}  // namespace gradcam
