#include "stages/output/film_sink.h"

#include <algorithm>
#include <utility>

#include "stages/overlay/letterbox.h"
#include "stages/picture/convert.h"
#include "stages/picture/picture_pool.h"

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

FilmForm film_form(const Picture& first, const std::vector<PixelFormat>& formats) {
  FilmForm form{formats.at(0), film_size(first.size()), first.color()};
  if (std::find(formats.begin(), formats.end(), first.format()) != formats.end()) {
    form.format = first.format();
  }
  ColorDescription& color = form.color;
  if (color.range == ColorRange::kUnspecified) color.range = ColorRange::kLimited;
  if (color.matrix != YuvMatrix::kUnspecified) return form;
  if (format_info(first.format()).yuv) {
    color.matrix = YuvMatrix::kBt601;
    return form;
  }
  constexpr int kMostLinesOfSd = 576;
  const bool hd = form.size.height > kMostLinesOfSd;
  constexpr std::uint8_t kBt709 = 1, kSmpte170m = 6;  // H.273
  color.matrix = hd ? YuvMatrix::kBt709 : YuvMatrix::kBt601;
  color.primaries = color.transfer = hd ? kBt709 : kSmpte170m;
  return form;
}

namespace {

bool coded_alike(const ColorDescription& a, const ColorDescription& b) {
  const YuvScale x = yuv_scale(a);
  const YuvScale y = yuv_scale(b);
  return x.kr == y.kr && x.luma_scale == y.luma_scale;
}

/// What lies behind `shown` in a picture of one more column or row of luma becomes its last one; a
/// sample of chroma there has the pixels' colour already.
void double_edges(const PictureTarget& picture, cv::Size shown) {
  const WritablePlane& luma = picture.planes[0];
  for (int y = 0; luma.width > shown.width && y < shown.height; ++y) {
    luma.row(y)[shown.width] = luma.row(y)[shown.width - 1];
  }
  if (luma.height > shown.height) {
    std::copy_n(luma.row(shown.height - 1), luma.width, luma.row(shown.height));
  }
}

}  // namespace

Picture fit_film(const Picture& picture, const FilmForm& film) {
  const bool yuv = format_info(picture.format()).yuv;
  const bool convertible = !yuv || coded_alike(picture.color(), film.color);
  if (convertible && picture.size() == film.size && picture.format() == film.format) {
    return picture;
  }
  PictureBuffer buffer = picture_pool().take(film.format, film.size, film.color);
  if (convertible && film_size(picture.size()) == film.size) {
    convert(picture.planes(), part_of(buffer.planes(), {{0, 0}, picture.size()}));
    double_edges(buffer.planes(), picture.size());
  } else {
    const cv::Mat fitted = fit_film(picture.bgr(), film.size);
    convert(view_of(fitted), buffer.planes());
  }
  return std::move(buffer).finish();
}

cv::Mat fit_film(const cv::Mat& picture, cv::Size film) {
  if (picture.size() == film) return picture;
  if (film_size(picture.size()) == film) {
    cv::Mat padded;
    cv::copyMakeBorder(picture, padded, 0, film.height - picture.rows, 0, film.width - picture.cols,
                       cv::BORDER_REPLICATE);
    return padded;
  }
  cv::Mat fitted(film, CV_8UC3);
  draw_letterboxed(picture, fitted);
  return fitted;
}

}  // namespace gradcam
