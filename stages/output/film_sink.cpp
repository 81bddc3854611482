#include "stages/output/film_sink.h"

#include "stages/overlay/letterbox.h"

namespace gradcam {

cv::Size film_size(cv::Size picture) {
  return {picture.width + picture.width % 2, picture.height + picture.height % 2};
}

std::string film_size_note(const std::filesystem::path& path, cv::Size picture) {
  const cv::Size film = film_size(picture);
  if (film == picture) return {};
  const auto text = [](cv::Size size) {
    return std::to_string(size.width) + "x" + std::to_string(size.height);
  };
  const char* const doubled = film.height == picture.height ? "the last column is"
                              : film.width == picture.width ? "the last row is"
                                                            : "the last column and row are";
  return "film '" + path.string() + "' is " + text(film) + ", not " + text(picture) +
         ": its colours need an even size, so " + doubled + " doubled";
}

Image fit_film(const Image& picture, cv::Size film) {
  if (picture->size() == film) return picture;
  if (film_size(picture->size()) == film) {
    cv::Mat padded;
    cv::copyMakeBorder(*picture, padded, 0, film.height - picture->rows, 0,
                       film.width - picture->cols, cv::BORDER_REPLICATE);
    return std::make_shared<const cv::Mat>(std::move(padded));
  }
  cv::Mat fitted(film, CV_8UC3);
  draw_letterboxed(*picture, fitted);
  return std::make_shared<const cv::Mat>(std::move(fitted));
}

}  // namespace gradcam
