#include "stages/picture/tile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "stages/overlay/hud.h"
#include "stages/overlay/text.h"
#include "tests/picture/made_picture.h"

namespace gradcam {
namespace {

/// Of all strengths, with places that are clear and places that are opaque; straight alpha.
cv::Mat drawing(cv::Size size) {
  cv::Mat bgra(size, CV_8UC4);
  cv::RNG random(9);
  random.fill(bgra, cv::RNG::UNIFORM, 0, 256);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      std::uint8_t& alpha = bgra.at<cv::Vec4b>(y, x)[3];
      if (x % 5 == 0) alpha = 0;
      if (x % 5 == 1) alpha = 255;
    }
  }
  return bgra;
}

/// One sample of a plane of `under` with the drawing on it, in floating point.
double exact(const MadePicture& under, const cv::Mat& bgra, cv::Point at, int component, int x,
             int y) {
  const FormatInfo& info = format_info(under.view().format);
  const YuvScale scale = yuv_scale(under.view().color);
  const int shift_x = component == 0 ? 0 : info.chroma_x;
  const int shift_y = component == 0 ? 0 : info.chroma_y;
  const bool together = component > 0 && info.interleaved();
  const cv::Mat plane = under.samples(together ? 1 : component);
  const double below = plane.at<std::uint8_t>(y, together ? 2 * x + component - 1 : x);
  double sum = 0;
  for (int j = 0; j < 1 << shift_y; ++j) {
    for (int i = 0; i < 1 << shift_x; ++i) {
      const int column = (x << shift_x) + i - at.x;
      const int row = (y << shift_y) + j - at.y;
      double value = below;
      if (column >= 0 && row >= 0 && column < bgra.cols && row < bgra.rows) {
        const cv::Vec4b& pixel = bgra.at<cv::Vec4b>(row, column);
        const double alpha = pixel[3] / 255.0;
        const auto yuv = yuv_of(pixel[0], pixel[1], pixel[2], scale);
        value = below * (1 - alpha) + yuv[static_cast<std::size_t>(component)] * alpha;
      }
      sum += value;
    }
  }
  return sum / (1 << (shift_x + shift_y));
}

TEST(Tile, IsLaidOnWithinALevelOfTheFormula) {
  const cv::Mat bgra = drawing({37, 21});
  for (const PixelFormat format :
       {PixelFormat::kI420, PixelFormat::kNv12, PixelFormat::kI422, PixelFormat::kI444}) {
    for (const ColorDescription& color : {kSd, kHd, kUhd, kJpeg, kHdFull, kUhdFull}) {
      MadePicture under(format, {61, 31}, color);
      under.fill_randomly(0, 256);
      for (const kernels::Table* table : tables()) {
        Tile tile;
        tile.draw(bgra, Alpha::kStraight, format, color, *table);
        EXPECT_EQ(tile.size(), bgra.size());
        MadePicture picture(format, {61, 31}, color);
        convert(under.view(), picture.target());
        tile.lay(picture.target(), {6, 4}, *table);
        picture.expect_guards();
        for (int component = 0; component < 3; ++component) {
          const bool together = component > 0 && format == PixelFormat::kNv12;
          const cv::Mat plane = picture.samples(together ? 1 : component);
          const int columns = together ? plane.cols / 2 : plane.cols;
          for (int y = 0; y < plane.rows; ++y) {
            for (int x = 0; x < columns; ++x) {
              const double expected =
                  std::clamp(exact(under, bgra, {6, 4}, component, x, y), 0.0, 255.0);
              ASSERT_NEAR(plane.at<std::uint8_t>(y, together ? 2 * x + component - 1 : x), expected,
                          1.6)
                  << format_info(format).name << " " << table->name << " component " << component
                  << " at " << x << "," << y;
            }
          }
        }
      }
    }
  }
}

TEST(Tile, ClearLeavesAndOpaqueCovers) {
  cv::Mat bgra(4, 4, CV_8UC4, cv::Scalar(0, 0, 255, 255));
  bgra.colRange(2, 4).setTo(cv::Scalar(0, 0, 0, 0));
  MadePicture picture(PixelFormat::kI420, {6, 6}, kSd);
  picture.fill_randomly(0, 256);
  MadePicture before(PixelFormat::kI420, {6, 6}, kSd);
  convert(picture.view(), before.target());
  Tile tile;
  tile.draw(bgra, Alpha::kPremultiplied, PixelFormat::kI420, kSd);
  tile.lay(picture.target(), {2, 2});
  EXPECT_EQ(picture.samples(0).at<std::uint8_t>(2, 2), 81);
  EXPECT_EQ(picture.samples(1).at<std::uint8_t>(1, 1), 90);
  EXPECT_EQ(picture.samples(2).at<std::uint8_t>(1, 1), 240);
  for (const cv::Point clear : {cv::Point(0, 0), cv::Point(4, 4), cv::Point(2, 1)}) {
    EXPECT_EQ(picture.samples(0).at<std::uint8_t>(clear),
              before.samples(0).at<std::uint8_t>(clear));
    EXPECT_EQ(picture.samples(1).at<std::uint8_t>(clear / 2),
              before.samples(1).at<std::uint8_t>(clear / 2));
  }
}

TEST(Tile, IsCutOffAtTheEdgeAndMayBeDrawnAgain) {
  Tile tile;
  tile.draw(drawing({64, 64}), Alpha::kStraight, PixelFormat::kI420, kHd);
  const cv::Mat white(8, 8, CV_8UC4, cv::Scalar::all(255));
  tile.draw(white, Alpha::kStraight, PixelFormat::kI420, kHd);
  MadePicture picture(PixelFormat::kI420, {13, 11}, kHd);
  fill(picture.target(), {0, 0, 0});
  tile.lay(picture.target(), {8, 6});
  picture.expect_guards();
  EXPECT_EQ(picture.samples(0).at<std::uint8_t>(10, 12), 235);
  EXPECT_EQ(picture.samples(0).at<std::uint8_t>(5, 12), 16);
  EXPECT_EQ(cv::countNonZero(picture.samples(0) == 235), 5 * 5);
  EXPECT_THROW(tile.lay(picture.target(), {7, 6}), std::invalid_argument);  // half a sample
  EXPECT_THROW(tile.lay(picture.target(), {-2, 0}), std::invalid_argument);
  EXPECT_THROW(tile.lay(picture.target(), {14, 0}), std::invalid_argument);
  MadePicture other(PixelFormat::kNv12, {13, 11}, kHd);
  EXPECT_THROW(tile.lay(other.target(), {0, 0}), std::invalid_argument);
  EXPECT_THROW(tile.draw(white, Alpha::kStraight, PixelFormat::kP010, kHd), std::invalid_argument);
}

TEST(Tile, LightThatIsStrongerThanItsAlphaEndsAtWhite) {
  const cv::Mat glow(2, 2, CV_8UC4, cv::Scalar(200, 200, 200, 10));
  MadePicture picture(PixelFormat::kI444, {2, 2}, kJpeg);
  fill(picture.target(), {250, 250, 250});
  Tile tile;
  tile.draw(glow, Alpha::kPremultiplied, PixelFormat::kI444, kJpeg);
  tile.lay(picture.target(), {0, 0});
  EXPECT_GE(picture.samples(0).at<std::uint8_t>(1, 1), 250);  // not from black on
}

/// A HUD as it looks on a picture, drawn by the overlay's own functions.
void draw_panel(cv::Mat& picture) {
  draw_plate(picture, {8, 6, 200, 60}, cv::Scalar(16, 12, 10), 0.68, 9);
  draw_text(picture, "tabby 78.1 %", {16, 10}, 20, cv::Scalar(110, 195, 255));
  draw_plate(picture, {16, 36, 120, 18}, cv::Scalar(30, 130, 245), 0.85, 3);
  draw_text(picture, "tiger cat", {20, 35}, 18, cv::Scalar(255, 255, 255));
}

TEST(Tile, OfADrawingOnBlackAndOnWhiteLooksAsDrawnOnThePicture) {
  cv::Mat black(80, 240, CV_8UC3, cv::Scalar::all(0));
  cv::Mat white(80, 240, CV_8UC3, cv::Scalar::all(255));
  draw_panel(black);
  draw_panel(white);
  const cv::Mat bgra = bgra_of(black, white);
  EXPECT_EQ(bgra.at<cv::Vec4b>(0, 0), cv::Vec4b(0, 0, 0, 0));

  const cv::Mat film = film_like({240, 80});
  cv::Mat drawn = film.clone();
  draw_panel(drawn);
  cv::Mat bgr = film.clone();
  Tile tile;
  tile.draw(bgra, Alpha::kPremultiplied, PixelFormat::kBgr, {});
  for (const kernels::Table* table : tables()) {
    film.copyTo(bgr);
    tile.lay(target_of(bgr), {0, 0}, *table);
    EXPECT_LE(cv::norm(bgr, drawn, cv::NORM_INF), 3) << table->name;
  }
  const MadePicture expected = exact_yuv(drawn, PixelFormat::kI420, kHd);
  MadePicture found = exact_yuv(film, PixelFormat::kI420, kHd);
  tile.draw(bgra, Alpha::kPremultiplied, PixelFormat::kI420, kHd);
  tile.lay(found.target(), {0, 0});
  EXPECT_LE(cv::norm(found.samples(0), expected.samples(0), cv::NORM_INF), 3);
  // Chroma of pixels of one sample that are covered differently is mixed: the picture's is a mean.
  cv::Mat apart;
  cv::absdiff(found.samples(1), expected.samples(1), apart);
  EXPECT_LE(cv::mean(apart)[0], 0.6);
  EXPECT_LE(cv::norm(apart, cv::NORM_INF), 6);
}

}  // namespace
}  // namespace gradcam
