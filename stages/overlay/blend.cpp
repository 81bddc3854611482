#include "stages/overlay/blend.h"

namespace gradcam {

cv::Mat blend(const cv::Mat& image, const cv::Mat& heat, Style style, double opacity) {
  const double image_share = style == Style::kNotebook ? 1 : 1 - opacity;
  cv::Mat result;
  cv::addWeighted(image, image_share, heat, opacity, 0, result);
  return result;
}

}  // namespace gradcam
