#include "stages/overlay/heat_on_planes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <stdexcept>

#include "stages/overlay/blend.h"
#include "stages/overlay/colormap.h"
#include "stages/overlay/heat_on_frame.h"
#include "tests/picture/made_picture.h"

namespace gradcam {
namespace {

HeatMap spot(cv::Size size) {
  HeatMap heat{size.height, size.width,
               std::pmr::vector<float>(static_cast<std::size_t>(size.area()))};
  for (int i = 0; i < size.area(); ++i) {
    const double x = (i % size.width + 0.5) / size.width - 0.6;
    const int row = i / size.width;
    const double y = (row + 0.5) / size.height - 0.4;
    heat.values[static_cast<std::size_t>(i)] =
        static_cast<float>(std::exp(-8 * (x * x + y * y)) * (0.9 + 0.1 * std::cos(20 * x)));
  }
  return heat;
}

Mapping stretched(cv::Size frame) {
  return {
      frame.width, frame.height, {0, 0, frame.width * 1.0, frame.height * 1.0}, {0, 0, 224, 224}};
}

/// What the overlay stage makes of the picture in BGR.
cv::Mat blended(const cv::Mat& bgr, const HeatMap& heat, const Mapping& mapping, Colormap colormap,
                double opacity) {
  const cv::Mat map = map_on_frame(heat, mapping, {224, 224}, Style::kGradcam);
  return blend(bgr, colorize(map, colormap), Style::kGradcam, opacity);
}

struct Case {
  PixelFormat format;
  cv::Size frame;
  cv::Size heat;
  ColorDescription color;
  Colormap colormap;
  double opacity;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << format_info(c.format).name << " " << c.frame << ", heat " << c.heat;
}

struct Difference {
  double mean;
  double most;
};

Difference difference_of(const MadePicture& a, const MadePicture& b, int plane) {
  cv::Mat apart;
  cv::absdiff(a.samples(plane), b.samples(plane), apart);
  return {cv::mean(apart)[0], cv::norm(apart, cv::NORM_INF)};
}

class HeatOverPlanes : public ::testing::TestWithParam<Case> {};

TEST_P(HeatOverPlanes, IsWithinTwoLevelsOfBlendingInBgr) {
  const Case& c = GetParam();
  const HeatMap heat = spot(c.heat);
  const Mapping mapping = stretched(c.frame);
  const MadePicture picture = exact_yuv(film_like(c.frame), c.format, c.color);
  const MadePicture expected = exact_yuv(
      blended(to_bgr(picture.view()), heat, mapping, c.colormap, c.opacity), c.format, c.color);
  const HeatOnPlanes overlay(mapping, c.heat, {224, 224});
  const HeatColors colors = heat_colors(color_table(c.colormap), c.color);
  MadePicture first(c.format, c.frame, c.color);
  for (const kernels::Table* table : tables()) {
    MadePicture found(c.format, c.frame, c.color);
    overlay.draw(picture.view(), heat, colors, share_of(c.opacity), found.target(), *table);
    found.expect_guards();
    for (int p = 0; p < format_info(c.format).planes; ++p) {
      const Difference apart = difference_of(found, expected, p);
      // Opaque heat may come from the neighbouring step of the table; where heat changes much from
      // pixel to pixel, the colour of the mean is not quite the mean of the colours.
      const bool steep = c.frame.width < c.heat.width;
      EXPECT_LE(apart.most, steep ? 4 : c.opacity < 1 ? 2 : 3) << table->name << ", plane " << p;
      EXPECT_LE(apart.mean, steep ? 2 : 0.45) << table->name << ", plane " << p;
    }
    if (table == tables()[0]) convert(found.view(), first.target());
    EXPECT_EQ(difference(found, first), 0) << table->name << " and plain";
  }
}

constexpr PixelFormat kI420 = PixelFormat::kI420;
INSTANTIATE_TEST_SUITE_P(
    Pictures, HeatOverPlanes,
    ::testing::Values(
        Case{kI420, {640, 360}, {224, 224}, kHd, Colormap::kJet, 0.5},
        Case{kI420, {963, 541}, {224, 224}, kHd, Colormap::kJet, 0.5},
        Case{kI420, {643, 359}, {7, 7}, kHd, Colormap::kViridis, 0.4},
        Case{PixelFormat::kNv12, {641, 359}, {7, 7}, kHd, Colormap::kJet, 0.5},
        Case{PixelFormat::kI422, {321, 181}, {14, 14}, kSd, Colormap::kTurbo, 0.3},
        Case{PixelFormat::kI444, {321, 181}, {14, 14}, kSd, Colormap::kInferno, 0.5},
        Case{kI420, {321, 181}, {28, 28}, kUhd, Colormap::kJet, 0.5},
        Case{kI420, {321, 181}, {28, 28}, kJpeg, Colormap::kJet, 0.5},
        Case{kI420, {321, 181}, {28, 28}, kHdFull, Colormap::kJet, 0.5},
        Case{kI420, {321, 181}, {28, 28}, kUhdFull, Colormap::kHot, 0.7},
        Case{kI420, {320, 180}, {224, 224}, kHd, Colormap::kJet, 1.0},
        Case{PixelFormat::kNv12, {320, 180}, {224, 224}, kHd, Colormap::kJet, 1.0},
        Case{kI420, {100, 50}, {224, 224}, kHd, Colormap::kJet, 0.5},  // smaller than the heat
        Case{kI420, {3, 2}, {7, 7}, kHd, Colormap::kBone, 0.5},
        Case{kI420, {1, 1}, {7, 7}, kHd, Colormap::kBone, 0.5},
        Case{kI420, {65, 35}, {1, 1}, kHd, Colormap::kJet, 0.5}));

TEST(HeatOnPlanes, EdgesOfChromaAreWithinFourLevels) {
  cv::Mat bars(180, 320, CV_8UC3);
  const cv::Scalar colours[] = {{40, 40, 200}, {40, 190, 40}, {200, 60, 40}, {200, 200, 200}};
  for (int x = 0; x < 320; ++x) bars.col(x).setTo(colours[x / 23 % 4]);
  const HeatMap heat = spot({224, 224});
  const Mapping mapping = stretched(bars.size());
  const MadePicture picture = exact_yuv(bars, kI420, kHd);
  const MadePicture expected =
      exact_yuv(blended(to_bgr(picture.view()), heat, mapping, Colormap::kJet, 0.5), kI420, kHd);
  MadePicture found(kI420, bars.size(), kHd);
  HeatOnPlanes(mapping, {224, 224}, {224, 224})
      .draw(picture.view(), heat, heat_colors(color_table(Colormap::kJet), kHd), 128,
            found.target());
  for (int p = 0; p < 3; ++p) EXPECT_LE(difference_of(found, expected, p).most, 4) << p;
}

TEST(HeatOnPlanes, FollowsCropAndLetterbox) {
  const HeatMap heat = spot({28, 28});
  const Mapping mappings[] = {
      {161, 91, {35, 0, 91, 91}, {0, 0, 224, 224}},       // centre crop, between odd pixels
      {161, 91, {0, 0, 161, 91}, {0, 48.7, 224, 126.6}},  // letterbox
      {161, 91, {10.4, 7.7, 81.3, 60.1}, {0, 0, 224, 224}},
      {161, 91, {200, 0, 20, 91}, {0, 0, 224, 224}},  // nothing of the frame
  };
  for (const Mapping& mapping : mappings) {
    for (const PixelFormat format : {kI420, PixelFormat::kI422}) {
      const MadePicture picture = exact_yuv(film_like({161, 91}), format, kHd);
      const MadePicture expected = exact_yuv(
          blended(to_bgr(picture.view()), heat, mapping, Colormap::kTurbo, 0.5), format, kHd);
      MadePicture found(format, {161, 91}, kHd);
      HeatOnPlanes(mapping, {28, 28}, {224, 224})
          .draw(picture.view(), heat, heat_colors(color_table(Colormap::kTurbo), kHd), 128,
                found.target());
      EXPECT_LE(difference_of(found, expected, 0).most, 2) << mapping.in_frame.x;
      // A sample of chroma on the edge is half inside.
      for (int p = 1; p < 3; ++p) EXPECT_LE(difference_of(found, expected, p).most, 4);
    }
  }
}

TEST(HeatOnPlanes, DrawsInPlaceAndIntoAPartOfALargerPicture) {
  const HeatMap heat = spot({7, 7});
  const HeatOnPlanes overlay(stretched({64, 40}), {7, 7}, {224, 224});
  const HeatColors colors = heat_colors(color_table(Colormap::kJet), kHd);
  MadePicture picture = exact_yuv(film_like({64, 40}), kI420, kHd);
  MadePicture expected(kI420, {64, 40}, kHd);
  overlay.draw(picture.view(), heat, colors, 100, expected.target());
  MadePicture larger(kI420, {100, 60}, kHd);
  fill(larger.target(), {0, 0, 0});
  overlay.draw(picture.view(), heat, colors, 100, part_of(larger.target(), {20, 10, 64, 40}));
  overlay.draw(picture.view(), heat, colors, 100, picture.target());
  EXPECT_EQ(difference(picture, expected), 0);
  MadePicture part(kI420, {64, 40}, kHd);
  convert(part_of(larger.view(), {20, 10, 64, 40}), part.target());
  EXPECT_EQ(difference(part, expected), 0);
  EXPECT_EQ(larger.samples(0).at<std::uint8_t>(10, 19), 16);
  EXPECT_EQ(larger.samples(0).at<std::uint8_t>(50, 20), 16);
}

// By hand: heat 1 of JET is (b, g, r) = (0, 0, 128): in full-range BT.601 Y = 0.299 * 128 = 38.3.
// Half of it over 100: 69. No heat is (128, 0, 0): Y = 14.6; half of it over 100: 57.5.
TEST(HeatOnPlanes, GivesTheNumbersOfTheFormula) {
  const HeatColors colors = heat_colors(color_table(Colormap::kJet), kJpeg);
  EXPECT_EQ(colors.tables[0][255], 38);
  EXPECT_EQ(colors.tables[0][0], 15);
  EXPECT_EQ(colors.tables[1][0], 192);  // 128 + 0.5 * 128
  EXPECT_EQ(colors.tables[2][255], 192);
  MadePicture picture(kI420, {2, 2}, kJpeg);
  picture.samples(0).setTo(100);
  picture.samples(1).setTo(128);
  picture.samples(2).setTo(128);
  for (const float value : {1.F, 2.F, 0.F, -1.F}) {
    HeatMap heat{1, 1, std::pmr::vector<float>(1, value)};
    MadePicture found(kI420, {2, 2}, kJpeg);
    HeatOnPlanes(stretched({2, 2}), {1, 1}, {224, 224})
        .draw(picture.view(), heat, colors, 128, found.target());
    EXPECT_EQ(found.samples(0).at<std::uint8_t>(1, 1), value > 0.5F ? 69 : 58);
    EXPECT_EQ(found.samples(2).at<std::uint8_t>(0, 0), value > 0.5F ? 160 : 123);
  }
}

TEST(HeatOnPlanes, RefusesWhatDoesNotFit) {
  const HeatOnPlanes overlay(stretched({8, 6}), {2, 2}, {224, 224});
  const HeatColors colors = heat_colors(color_table(Colormap::kJet), kHd);
  HeatMap heat{2, 2, std::pmr::vector<float>(4, 0.5F)};
  const MadePicture picture(kI420, {8, 6}, kHd);
  const MadePicture smaller(kI420, {6, 6}, kHd);
  const MadePicture other(PixelFormat::kNv12, {8, 6}, kHd);
  const MadePicture gray(PixelFormat::kGray, {8, 6});
  const auto draw = [&](const MadePicture& from, const MadePicture& to, int share) {
    overlay.draw(from.view(), heat, colors, share, to.target());
  };
  EXPECT_NO_THROW(draw(picture, picture, 256));
  EXPECT_THROW(draw(smaller, smaller, 128), std::invalid_argument);
  EXPECT_THROW(draw(picture, other, 128), std::invalid_argument);
  EXPECT_THROW(draw(gray, gray, 128), std::invalid_argument);
  EXPECT_THROW(draw(picture, picture, 257), std::invalid_argument);
  heat.values[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(draw(picture, picture, 128), std::runtime_error);
  heat = HeatMap{3, 1, std::pmr::vector<float>(3)};
  EXPECT_THROW(draw(picture, picture, 128), std::invalid_argument);
  EXPECT_THROW(HeatOnPlanes({}, {2, 2}, {224, 224}), std::invalid_argument);
  EXPECT_EQ(share_of(0.5), 128);
  EXPECT_EQ(share_of(1.5), 256);
}

}  // namespace
}  // namespace gradcam
