#include "stages/overlay/drawing.h"

#include <gtest/gtest.h>

#include "stages/overlay/box_drawing.h"
#include "stages/overlay/hud.h"
#include "stages/overlay/text.h"
#include "stages/overlay/tiles.h"
#include "tests/picture/made_picture.h"

namespace gradcam {
namespace {

constexpr PixelFormat kI420 = PixelFormat::kI420;

/// A plate with text on it, both half through.
Drawing sign(cv::Point at) {
  Drawing drawing;
  drawing.plate({at, cv::Size(90, 24)}, {16, 12, 10}, 0.68, 6);
  drawing.plate({at + cv::Point(4, 3), cv::Size(40, 9)}, {30, 130, 245}, 0.85, 2);
  drawing.text("tabby 78.1 %", at + cv::Point(5, 4), 15, {255, 255, 255});
  return drawing;
}

/// Largest difference of each plane.
std::array<double, 3> apart(const MadePicture& a, const MadePicture& b) {
  std::array<double, 3> most{};
  for (int p = 0; p < format_info(a.view().format).planes; ++p) {
    most.at(static_cast<std::size_t>(p)) = cv::norm(a.samples(p), b.samples(p), cv::NORM_INF);
  }
  return most;
}

TEST(Drawing, IsItsMarksAndCanBeCompared) {
  EXPECT_TRUE(Drawing().empty());
  EXPECT_EQ(Drawing().bounds(), cv::Rect());
  EXPECT_EQ(sign({10, 20}), sign({10, 20}));
  EXPECT_FALSE(sign({10, 20}) == sign({10, 21}));
  EXPECT_TRUE((sign({10, 20}).bounds() & cv::Rect(10, 20, 90, 24)) == cv::Rect(10, 20, 90, 24));
  Drawing nothing;
  nothing.plate({3, 3, 0, 5}, {}, 1, 0);
  nothing.text("", {3, 3}, 15, {});
  EXPECT_TRUE(nothing.empty());
}

TEST(Drawing, LiesInAreasThatAreFull) {
  EXPECT_EQ(sign({10, 20}).areas().size(), 1U);
  const Drawing box = boxes_drawing({640, 480}, {{{100.F, 50.F, 500.F, 400.F}, 2, "car", 0.9F}});
  int area = 0;
  for (const cv::Rect& part : box.areas()) area += part.area();
  EXPECT_LT(area, box.bounds().area() / 5);
}

TEST(Drawing, PaintsFromAnyCorner) {
  cv::Mat whole(60, 120, CV_8UC3, cv::Scalar(90, 80, 70));
  sign({10, 20}).paint(whole);
  cv::Mat part(30, 40, CV_8UC3, cv::Scalar(90, 80, 70));
  sign({10, 20}).paint(part, {50, 15});
  sign({300, 20}).paint(part, {50, 15});  // nothing of it
  EXPECT_EQ(cv::norm(part, whole(cv::Rect(50, 15, 40, 30)), cv::NORM_INF), 0);
}

struct Ground {
  PixelFormat format;
  cv::Size size;
  ColorDescription color;
  cv::Point at;
};

std::ostream& operator<<(std::ostream& out, const Ground& g) {
  return out << format_info(g.format).name << " " << g.size << " at " << g.at;
}

class DrawingsOnPlanes : public ::testing::TestWithParam<Ground> {};

/// Against the same drawn in BGR and converted.
TEST_P(DrawingsOnPlanes, AreWithinTwoLevelsOfThoseInBgr) {
  const Ground& g = GetParam();
  const MadePicture picture = exact_yuv(film_like(g.size), g.format, g.color);
  cv::Mat bgr = to_bgr(picture.view());
  sign(g.at).paint(bgr);
  const MadePicture expected = exact_yuv(bgr, g.format, g.color);
  for (const bool together : {true, false}) {
    MadePicture drawn(g.format, g.size, g.color);
    convert(picture.view(), drawn.target());
    if (together) {
      lay(sign(g.at), drawn.target());
    } else {
      lay_parts(sign(g.at), drawn.target());
    }
    drawn.expect_guards();
    for (const double most : apart(drawn, expected)) EXPECT_LE(most, 2) << together;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Grounds, DrawingsOnPlanes,
    ::testing::Values(Ground{kI420, {128, 72}, kHd, {10, 20}},
                      Ground{kI420, {129, 73}, kHd, {11, 21}},
                      Ground{kI420, {128, 72}, kJpeg, {60, 60}},  // reaches outside
                      Ground{kI420, {128, 72}, kSd, {-7, -5}},
                      Ground{PixelFormat::kNv12, {129, 73}, kHd, {11, 20}},
                      Ground{PixelFormat::kI422, {128, 72}, kSd, {10, 21}},
                      Ground{PixelFormat::kI444, {128, 72}, kUhd, {11, 21}}));

TEST(DrawingsOnPlanes, OutsideOfThePictureAreLeftOut) {
  MadePicture picture = exact_yuv(film_like({64, 40}), kI420, kHd);
  MadePicture before(kI420, {64, 40}, kHd);
  convert(picture.view(), before.target());
  lay(sign({200, 10}), picture.target());
  lay_parts(sign({10, -50}), picture.target());
  lay(Drawing(), picture.target());
  EXPECT_EQ(difference(picture, before), 0);
}

TEST(DrawingsOnPlanes, ATileThatIsKeptGivesTheSameAgainAndOthersTheirOwn) {
  const MadePicture picture = exact_yuv(film_like({128, 72}), kI420, kHd);
  const auto laid = [&](cv::Point at, const ColorDescription& color) {
    MadePicture drawn(kI420, {128, 72}, kHd);
    convert(picture.view(), drawn.target());
    PictureTarget target = drawn.target();
    target.color = color;
    lay(sign(at), target);
    return drawn;
  };
  const MadePicture first = laid({4, 4}, kHd);
  for (int i = 0; i < 30; ++i) laid({i, 4}, kHd);  // more than are kept
  EXPECT_EQ(difference(laid({4, 4}, kHd), first), 0);
  EXPECT_EQ(difference(laid({4, 4}, kHd), first), 0);
  EXPECT_GT(difference(laid({4, 4}, kJpeg), first), 0);
}

}  // namespace
}  // namespace gradcam
