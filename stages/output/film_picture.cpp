#include "stages/output/film_picture.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace gradcam {
namespace {

cv::Mat letterboxed(const cv::Mat& picture, cv::Size film) {
  const double scale = std::min(static_cast<double>(film.width) / picture.cols,
                                static_cast<double>(film.height) / picture.rows);
  const cv::Size size(
      std::clamp(static_cast<int>(std::lround(picture.cols * scale)), 1, film.width),
      std::clamp(static_cast<int>(std::lround(picture.rows * scale)), 1, film.height));
  cv::Mat result(film, picture.type(), cv::Scalar::all(0));
  cv::Mat inside = result(cv::Rect((film.width - size.width) / 2, (film.height - size.height) / 2,
                                   size.width, size.height));
  cv::resize(picture, inside, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  return result;
}

}  // namespace

cv::Size film_size(cv::Size picture) {
  return {picture.width + picture.width % 2, picture.height + picture.height % 2};
}

Image fit_film(const Image& picture, cv::Size film) {
  if (picture->size() == film) return picture;
  if (film_size(picture->size()) == film) {
    cv::Mat padded;
    cv::copyMakeBorder(*picture, padded, 0, film.height - picture->rows, 0,
                       film.width - picture->cols, cv::BORDER_REPLICATE);
    return std::make_shared<const cv::Mat>(std::move(padded));
  }
  return std::make_shared<const cv::Mat>(letterboxed(*picture, film));
}

}  // namespace gradcam
