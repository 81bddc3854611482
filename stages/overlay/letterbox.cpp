#include "stages/overlay/letterbox.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "stages/picture/convert.h"

namespace gradcam {

cv::Rect letterbox_area(cv::Size picture, cv::Size area) {
  const double scale = std::min(static_cast<double>(area.width) / picture.width,
                                static_cast<double>(area.height) / picture.height);
  const cv::Size size(
      std::clamp(static_cast<int>(std::lround(picture.width * scale)), 1, area.width),
      std::clamp(static_cast<int>(std::lround(picture.height * scale)), 1, area.height));
  return {cv::Point((area.width - size.width) / 2, (area.height - size.height) / 2), size};
}

void draw_letterboxed(const cv::Mat& picture, cv::Mat& area) {
  const cv::Rect inside = letterbox_area(picture.size(), area.size());
  if (inside.size() != area.size()) area.setTo(cv::Scalar::all(0));
  cv::Mat target = area(inside);
  const bool smaller = inside.width < picture.cols;
  cv::resize(picture, target, target.size(), 0, 0, smaller ? cv::INTER_AREA : cv::INTER_LINEAR);
}

void draw_letterboxed(const Picture& picture, cv::Mat& area) {
  if (picture.format() == PixelFormat::kBgr) return draw_letterboxed(picture.bgr(), area);
  const cv::Rect inside = letterbox_area(picture.size(), area.size());
  if (inside.size() != area.size()) area.setTo(cv::Scalar::all(0));
  cv::Mat target = area(inside);
  draw_bgr(picture.planes(), target);
}

}  // namespace gradcam
