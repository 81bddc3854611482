#include "stages/overlay/guided_view.h"

#include <array>
#include <opencv2/imgproc.hpp>

#include "stages/overlay/heat_on_frame.h"

namespace gradcam {

cv::Mat guided_picture(const InputGradient& gradient, const cv::Mat& map, const Mapping& mapping,
                       cv::Size blob_size) {
  constexpr double kShare = 0.1;  // of the range, for one standard deviation
  constexpr double kTiny = 1e-5;  // of the published code
  std::array<cv::Mat, 3> planes;
  for (std::size_t i = 0; i < planes.size(); ++i) {
    planes.at(i) = map_on_frame(gradient.planes.at(i), mapping, blob_size, Style::kRaw);
    if (!map.empty()) planes.at(i) = planes.at(i).mul(map);
  }
  cv::Mat values;
  cv::merge(planes, values);
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(values.reshape(1), mean, deviation);
  const double scale = 255 * kShare / (deviation[0] + kTiny);
  cv::Mat picture;
  values.convertTo(picture, CV_8U, scale, 127.5 - mean[0] * scale);
  return picture;
}

}  // namespace gradcam
