#include "pipeline/render.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "stages/overlay/cam_figures.h"
#include "stages/picture/convert.h"
#include "stages/picture/picture_pool.h"

namespace gradcam {
namespace {

/// A frame of a network that is called `model`, as it is shown after it was explained in
/// `precision`.
Rendered shown(Precision precision, const std::string& model) {
  Frame frame;
  frame.image = Picture(cv::Mat(720, 1280, CV_8UC3, cv::Scalar::all(90)));
  ModelDescription description;
  description.input_height = description.input_width = 8;
  Explanation explanation;
  explanation.precision = precision;
  explanation.heat = {8, 8, std::pmr::vector<float>(64, 0.5F)};
  Explained explained;
  explained.prepared = prepare(frame, description);
  explained.explanation = std::make_shared<const Explanation>(std::move(explanation));
  HudText hud;
  hud.model = model;
  return render(explained, hud, {});
}

bool same(const Picture& a, const Picture& b) {
  return cv::norm(a.bgr(), b.bgr(), cv::NORM_INF) == 0;
}

TEST(Render, TheHudSaysInt8OfAMapThatWasComputedSo) {
  EXPECT_TRUE(
      same(shown(Precision::kInt8, "net").picture, shown(Precision::kFp32, "net int8").picture));
}

TEST(Render, TheHudNoLongerSaysInt8WhenAnotherEngineComputes) {
  const Rendered before = shown(Precision::kInt8, "net");
  const Rendered after = shown(Precision::kFp32, "net");
  EXPECT_FALSE(same(after.picture, before.picture));
  EXPECT_TRUE(same(after.picture, shown(Precision::kBf16, "net").picture));
}

TEST(Redraw, TheHudStillSaysInt8) {
  const Rendered rendered = shown(Precision::kInt8, "net");
  HudText hud;
  hud.model = "net";
  EXPECT_TRUE(same(redraw(rendered, hud, {}, false), rendered.picture));
}

/// A frame of a film with heat in its middle.
Rendered shown_film(const OverlayOptions& options, bool tiny_network = false) {
  PictureBuffer buffer = picture_pool().take(PixelFormat::kI420, {320, 180}, {YuvMatrix::kBt709});
  fill(buffer.planes(), {90, 120, 60});
  Frame frame;
  frame.image = std::move(buffer).finish();
  const int side = tiny_network ? 8 : 96;
  ModelDescription description;
  description.input_height = description.input_width = side;
  Explanation explanation;
  explanation.targets = {{281, "tabby", 0.78F}};
  explanation.heat = {side, side,
                      std::pmr::vector<float>(static_cast<std::size_t>(side * side), 0.25F)};
  explanation.heat.values[static_cast<std::size_t>(side * side / 2 + side / 4)] = 1;
  Explained explained;
  explained.prepared = prepare(frame, description);
  explained.explanation = std::make_shared<const Explanation>(std::move(explanation));
  return render(explained, {}, options);
}

TEST(Render, AFilmStaysInItsPlanes) {
  for (const ViewKind view : {ViewKind::kOverlay, ViewKind::kHeatmap, ViewKind::kSideBySide}) {
    OverlayOptions options;
    options.view = view;
    const Rendered rendered = shown_film(options);
    EXPECT_EQ(rendered.picture.format(), PixelFormat::kI420);
    EXPECT_EQ(rendered.picture.color(), rendered.frame().image.color());
  }
}

TEST(Render, OtherStylesAreDrawnInBgrAndKnowHowTheirFilmIsCoded) {
  OverlayOptions options;
  options.style = Style::kNotebook;
  const Rendered rendered = shown_film(options);
  EXPECT_EQ(rendered.picture.format(), PixelFormat::kBgr);
  EXPECT_EQ(rendered.picture.color(), rendered.frame().image.color());
}

TEST(Render, TheMapIsThereForWhoeverAsks) {
  for (const bool tiny : {false, true}) {
    const Rendered rendered = shown_film({}, tiny);
    ASSERT_TRUE(rendered.map && rendered.figures && rendered.figures->peak);
    const cv::Mat& map = *rendered.map;
    ASSERT_EQ(map.size(), cv::Size(320, 180));
    double most = 0;
    cv::Point peak;
    cv::minMaxLoc(map, nullptr, &most, nullptr, &peak);
    EXPECT_LE(std::abs(peak.x - rendered.figures->peak->x), 1);
    EXPECT_LE(std::abs(peak.y - rendered.figures->peak->y), 1);
    const CamFigures exact = figures_of(map);
    EXPECT_NEAR(rendered.figures->coverage, exact.coverage, 1e-3);
    EXPECT_NEAR(rendered.figures->entropy, exact.entropy, 1e-3);
  }
}

TEST(Redraw, AMirrorShowsTheSameTheOtherWayRound) {
  OverlayOptions options;
  options.hud = false;
  const Rendered rendered = shown_film(options);
  const Picture mirror = redraw(rendered, {}, options, true);
  EXPECT_EQ(mirror.format(), PixelFormat::kI420);
  cv::Mat flipped;
  cv::flip(mirror.bgr(), flipped, 1);
  EXPECT_EQ(cv::norm(flipped, rendered.picture.bgr(), cv::NORM_INF), 0);
}

}  // namespace
}  // namespace gradcam
