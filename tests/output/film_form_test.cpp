#include <gtest/gtest.h>

#include "stages/output/film_sink.h"
#include "tests/picture/made_picture.h"

/// How pictures go into a film.
namespace gradcam {
namespace {

constexpr PixelFormat kI420 = PixelFormat::kI420;
constexpr PixelFormat kNv12 = PixelFormat::kNv12;
const std::vector<PixelFormat> kEither = {kI420, kNv12};

Picture picture_of(PixelFormat format, cv::Size size, const ColorDescription& color) {
  const auto made = std::make_shared<MadePicture>(exact_yuv(film_like(size), format, color));
  return Picture(made->view(), made);
}

Picture bgr_of(cv::Size size, const ColorDescription& color = {}) {
  return Picture(film_like(size), color);
}

TEST(FilmForm, IsThatOfItsSource) {
  const ColorDescription full{YuvMatrix::kBt2020, ColorRange::kFull, 9, 14, ChromaSite::kTopLeft};
  const FilmForm form = film_form(picture_of(kNv12, {63, 48}, full), kEither);
  EXPECT_EQ(form.format, kNv12);
  EXPECT_EQ(form.size, cv::Size(64, 48));
  EXPECT_EQ(form.color, full);
  EXPECT_EQ(film_form(picture_of(kNv12, {64, 48}, full), {kI420}).format, kI420);
  EXPECT_EQ(film_form(picture_of(PixelFormat::kI444, {64, 48}, full), kEither).format, kI420);
}

TEST(FilmForm, WhatAFilmDoesNotTellIsWhatItWasTakenFor) {
  const ColorDescription told = film_form(picture_of(kI420, {64, 48}, {}), kEither).color;
  EXPECT_EQ(told.matrix, YuvMatrix::kBt601);
  EXPECT_EQ(told.range, ColorRange::kLimited);
  EXPECT_EQ(told.site, ChromaSite::kUnspecified);
}

TEST(FilmForm, OfOtherPicturesGoesByTheirSize) {
  const ColorDescription sd = film_form(bgr_of({64, 576}), kEither).color;
  EXPECT_EQ(sd.matrix, YuvMatrix::kBt601);
  EXPECT_EQ(sd.primaries, 6);
  const ColorDescription hd = film_form(bgr_of({64, 720}), kEither).color;
  EXPECT_EQ(hd.matrix, YuvMatrix::kBt709);
  EXPECT_EQ(hd.transfer, 1);
  EXPECT_EQ(hd.range, ColorRange::kLimited);
  // Drawn in BGR, but of a film.
  EXPECT_EQ(film_form(bgr_of({64, 720}, kJpeg), kEither).color, kJpeg);
}

TEST(FitFilm, GivesThePlanesThemselvesWhereTheyFit) {
  const Picture picture = picture_of(kI420, {64, 48}, kHd);
  const Picture fitted = fit_film(picture, film_form(picture, kEither));
  EXPECT_EQ(fitted.planes().planes[0].data, picture.planes().planes[0].data);
}

TEST(FitFilm, DoublesTheLastColumnAndRowOfOddSizes) {
  for (const PixelFormat format : {kI420, kNv12, PixelFormat::kI444}) {
    const Picture picture = picture_of(format, {33, 21}, kHd);
    const Picture fitted = fit_film(picture, film_form(picture, {kI420}));
    ASSERT_EQ(fitted.size(), cv::Size(34, 22));
    EXPECT_EQ(fitted.format(), kI420);
    const Plane& from = picture.planes().planes[0];
    const Plane& to = fitted.planes().planes[0];
    for (int y = 0; y < 22; ++y) {
      for (int x = 0; x < 34; ++x) {
        ASSERT_EQ(to.row(y)[x], from.row(std::min(y, 20))[std::min(x, 32)]) << x << " " << y;
      }
    }
    const cv::Mat back = fitted.bgr()(cv::Rect(0, 0, 33, 21));
    EXPECT_LT(cv::norm(back, picture.bgr(), cv::NORM_L1) / (33 * 21 * 3), 4);
  }
}

TEST(FitFilm, LetterboxesOtherSizesAndTurnsOtherCodings) {
  const FilmForm film = film_form(picture_of(kI420, {64, 48}, kHd), kEither);
  const Picture narrow = fit_film(picture_of(kI420, {64, 24}, kHd), film);
  ASSERT_EQ(narrow.size(), cv::Size(64, 48));
  EXPECT_EQ(narrow.planes().planes[0].row(3)[20], 16);
  EXPECT_GT(narrow.planes().planes[0].row(24)[20], 30);
  for (const ColorDescription& color : {kSd, kJpeg, kUhd}) {
    const Picture other = picture_of(kI420, {64, 48}, color);
    const Picture fitted = fit_film(other, film);
    EXPECT_EQ(fitted.color(), film.color);
    EXPECT_LT(cv::norm(fitted.bgr(), other.bgr(), cv::NORM_L1) / (64 * 48 * 3), 2);
  }
}

TEST(FitFilm, TakesBgrAndGrey) {
  const FilmForm film = film_form(picture_of(kI420, {64, 48}, kHd), kEither);
  const cv::Mat grey(48, 64, CV_8UC3, cv::Scalar::all(128));
  const Picture fitted = fit_film(Picture(grey), film);
  EXPECT_EQ(fitted.format(), kI420);
  EXPECT_NEAR(fitted.planes().planes[0].row(0)[0], 126, 1);
  EXPECT_EQ(fitted.planes().planes[1].row(0)[0], 128);
}

}  // namespace
}  // namespace gradcam
