#include "stages/overlay/plane_view.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <ostream>

#include "stages/overlay/cam_figures.h"
#include "stages/overlay/heat_on_frame.h"
#include "stages/overlay/hud.h"
#include "stages/overlay/side_by_side.h"
#include "tests/picture/made_picture.h"

namespace gradcam {
namespace {

constexpr PixelFormat kI420 = PixelFormat::kI420;
const HudText kHud{"efficientnet_lite0", "", 24.8, 38.2, 51.0, 0};

HeatMap spot(cv::Size size) {
  HeatMap heat{size.height, size.width, std::pmr::vector<float>()};
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double across = (x + 0.5) / size.width - 0.6;
      const double down = (y + 0.5) / size.height - 0.4;
      heat.values.push_back(static_cast<float>(std::exp(-9 * (across * across + down * down))));
    }
  }
  return heat;
}

Mapping stretched(cv::Size frame) {
  return {
      frame.width, frame.height, {0, 0, frame.width * 1.0, frame.height * 1.0}, {0, 0, 224, 224}};
}

Explained explained() {
  Explanation explanation;
  explanation.top = {{281, "tabby", 0.78f}, {282, "tiger cat", 0.1f}};
  explanation.targets = {explanation.top[0]};
  explanation.method = "gradcam";
  Explained result;
  result.explanation = std::make_shared<const Explanation>(explanation);
  return result;
}

const std::vector<DetectedObject> kBoxes = {{{31.F, 47.F, 152.F, 120.F}, 2, "car", 0.87F, 4, true},
                                            {{180.F, 20.F, 230.F, 60.F}, 7, "truck", 0.5F}};

Picture picture_of(PixelFormat format, cv::Size size, const ColorDescription& color) {
  const auto made = std::make_shared<MadePicture>(exact_yuv(film_like(size), format, color));
  return Picture(made->view(), made);
}

struct Case {
  const char* name;
  PixelFormat format;
  cv::Size size;
  ColorDescription color;
  ViewKind view;
  bool hud = true;
  bool boxes = false;
  bool mirror = false;
  bool heat = true;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

class PlaneViews : public ::testing::TestWithParam<Case> {};

TEST_P(PlaneViews, AreThoseInBgr) {
  const Case& c = GetParam();
  const Picture frame = picture_of(c.format, c.size, c.color);
  const HeatMap heat = spot({224, 224});
  const Mapping mapping = stretched(c.size);
  const Explained of = explained();
  OverlayOptions options;
  options.view = c.view;
  options.hud = c.hud;
  const auto objects = c.boxes ? kBoxes : std::vector<DetectedObject>();
  ASSERT_TRUE(fits_planes(frame, options, c.mirror));
  const Picture drawn = draw_plane_view(frame, c.heat ? &heat : nullptr, mapping, {224, 224},
                                        objects, of, kHud, options, c.mirror);
  EXPECT_EQ(drawn.format(), c.format);
  EXPECT_EQ(drawn.color(), c.color);

  cv::Mat bgr = frame.bgr();
  cv::Mat map = c.heat ? map_on_frame(heat, mapping, {224, 224}, Style::kGradcam) : cv::Mat();
  if (c.mirror) {
    cv::flip(frame.bgr(), bgr, 1);
    if (!map.empty()) cv::flip(map.clone(), map, 1);
  }
  const cv::Mat wanted = draw_view(bgr, map, objects, of, kHud, options);
  ASSERT_EQ(drawn.size(), wanted.size());
  // Both as a film stores them. (As BGR, what 4:2:0 does to letters and edges would show.)
  const auto stored = std::make_shared<MadePicture>(exact_yuv(wanted, c.format, c.color));
  const Picture film(stored->view(), stored);
  for (int p = 0; p < format_info(c.format).planes; ++p) {
    const auto samples = [p](const Picture& picture) {
      const Plane& plane = picture.planes().planes[static_cast<std::size_t>(p)];
      const int bytes = format_info(picture.format()).bytes[static_cast<std::size_t>(p)];
      return cv::Mat(plane.height, plane.width * bytes, CV_8U,
                     const_cast<std::uint8_t*>(plane.data), static_cast<std::size_t>(plane.stride));
    };
    cv::Mat apart;
    cv::absdiff(samples(drawn), samples(film), apart);
    // Beside each other, odd pictures share their last samples of chroma with the ground.
    const bool shared = p > 0 && c.view == ViewKind::kSideBySide && c.size.width % 2 != 0;
    EXPECT_LE(cv::norm(apart, cv::NORM_INF), shared ? 64 : c.boxes ? 6 : 4) << "plane " << p;
    EXPECT_LE(cv::countNonZero(apart > 2) / static_cast<double>(apart.total()),
              shared ? 0.02 : 0.002)
        << "plane " << p;
    EXPECT_LE(cv::mean(apart)[0], 0.45) << "plane " << p;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Views, PlaneViews,
    ::testing::Values(
        Case{"Overlay", kI420, {640, 360}, kHd, ViewKind::kOverlay},
        Case{"OverlayOfOddSize", kI420, {641, 361}, kHd, ViewKind::kOverlay},
        Case{"OverlayWithBoxes", kI420, {320, 240}, kSd, ViewKind::kOverlay, true, true},
        Case{"OverlayInPairs", PixelFormat::kNv12, {320, 240}, kHd, ViewKind::kOverlay, true, true},
        Case{"OverlayOf422", PixelFormat::kI422, {320, 240}, kJpeg, ViewKind::kOverlay, true, true},
        Case{"OverlayOf444", PixelFormat::kI444, {320, 240}, kHdFull, ViewKind::kOverlay},
        Case{"Heatmap", kI420, {320, 240}, kHd, ViewKind::kHeatmap, false},
        Case{"Original", kI420, {320, 240}, kHd, ViewKind::kOriginal},
        Case{"WithoutHeat", kI420, {320, 240}, kHd, ViewKind::kOverlay, true, false, false, false},
        Case{"SideBySide", kI420, {320, 240}, kHd, ViewKind::kSideBySide, true, true},
        Case{"SideBySideOfOddSize", kI420, {321, 241}, kHd, ViewKind::kSideBySide},
        Case{"SideBySideInPairs", PixelFormat::kNv12, {320, 240}, kHd, ViewKind::kSideBySide},
        Case{"Mirror", kI420, {320, 241}, kHd, ViewKind::kOverlay, true, true, true},
        Case{"MirrorInPairs",
             PixelFormat::kNv12,
             {320, 240},
             kHd,
             ViewKind::kOriginal,
             true,
             false,
             true},
        Case{"MirrorBesides", kI420, {320, 240}, kHd, ViewKind::kSideBySide, true, true, true}),
    [](const auto& tested) { return tested.param.name; });

TEST(PlaneViews, AreForFilmsInTheirOwnStyle) {
  OverlayOptions options;
  const Picture frame = picture_of(kI420, {33, 20}, kHd);
  EXPECT_TRUE(fits_planes(frame, options, false));
  EXPECT_FALSE(fits_planes(frame, options, true));  // a sample of one column
  EXPECT_TRUE(fits_planes(picture_of(PixelFormat::kI444, {33, 20}, kHd), options, true));
  EXPECT_FALSE(fits_planes(Picture(frame.bgr()), options, false));
  for (const Style style : {Style::kNotebook, Style::kCaptum, Style::kRaw}) {
    options.style = style;
    EXPECT_FALSE(fits_planes(frame, options, false));
  }
}

struct Shown {
  cv::Size frame;
  Mapping mapping;
};

TEST(FiguresOfHeat, AreThoseOfTheMap) {
  const Shown all[] = {{{640, 360}, stretched({640, 360})},
                       {{1921, 1079}, stretched({1921, 1079})},
                       {{225, 224}, stretched({225, 224})},
                       {{640, 360}, {640, 360, {140, 0, 360, 360}, {0, 0, 224, 224}}},
                       {{640, 360}, {640, 360, {0, 0, 640, 360}, {0, 49, 224, 126}}}};
  for (const Shown& shown : all) {
    for (const cv::Size size : {cv::Size(224, 224), cv::Size(96, 64)}) {
      const HeatMap heat = spot(size);
      const CamFigures exact =
          figures_of(map_on_frame(heat, shown.mapping, {224, 224}, Style::kGradcam));
      const CamFigures found = figures_of(heat, shown.mapping, {224, 224});
      EXPECT_NEAR(found.coverage, exact.coverage, 0.003) << shown.frame;
      EXPECT_NEAR(found.entropy, exact.entropy, 1e-4);
      ASSERT_TRUE(found.centroid && exact.centroid && found.peak && exact.peak);
      EXPECT_NEAR(found.centroid->x, exact.centroid->x, 0.02);
      EXPECT_NEAR(found.centroid->y, exact.centroid->y, 0.02);
      EXPECT_LE(std::abs(found.peak->x - exact.peak->x), 1) << shown.frame << size;
      EXPECT_LE(std::abs(found.peak->y - exact.peak->y), 1) << shown.frame << size;
    }
  }
}

TEST(FiguresOfHeat, OfACornerIsItsFirstPixel) {
  HeatMap heat{2, 2, std::pmr::vector<float>{1, 0, 0, 0}};
  const CamFigures found = figures_of(heat, stretched({40, 20}), {224, 224});
  EXPECT_EQ(found.peak, cv::Point(0, 0));
  EXPECT_NEAR(found.coverage, 0.25, 1e-9);
}

TEST(FiguresOfHeat, OfAPlateauIsItsFirstPixel) {
  HeatMap heat{64, 64, std::pmr::vector<float>(4096)};
  for (std::size_t y = 20; y < 40; ++y) {
    for (std::size_t x = 30; x < 50; ++x) heat.values[64 * y + x] = 1;
  }
  for (const cv::Size frame : {cv::Size(640, 360), cv::Size(101, 67), cv::Size(1919, 1079)}) {
    const cv::Mat map = map_on_frame(heat, stretched(frame), {224, 224}, Style::kGradcam);
    const CamFigures found = figures_of(heat, stretched(frame), {224, 224});
    EXPECT_EQ(found.peak, figures_of(map).peak) << frame;
  }
}

TEST(FiguresOfHeat, WithoutHeatHasNoPlace) {
  const HeatMap cold{4, 4, std::pmr::vector<float>(16)};
  const CamFigures found = figures_of(cold, stretched({40, 20}), {224, 224});
  EXPECT_EQ(found.coverage, 0);
  EXPECT_EQ(found.entropy, 0);
  EXPECT_FALSE(found.peak || found.centroid);
}

TEST(FiguresOfHeat, RefuseWhatIsNoNumber) {
  HeatMap heat{2, 2, std::pmr::vector<float>(4, 0.5F)};
  heat.values[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(figures_of(heat, stretched({40, 20}), {224, 224}), std::runtime_error);
  heat.width = 3;
  EXPECT_THROW(figures_of(heat, stretched({40, 20}), {224, 224}), std::invalid_argument);
}

}  // namespace
}  // namespace gradcam
