#include "stages/overlay/overlay.h"

#include <gtest/gtest.h>

#include "stages/overlay/colormap.h"
#include "stages/overlay/side_by_side.h"

namespace gradcam {
namespace {

const cv::Size kSize(640, 272);
const HudText kText{"efficientnet_lite0", "", 24.8, 38.2};

cv::Mat noisy_frame() {
  cv::Mat frame(kSize, CV_8UC3);
  cv::RNG random(5);
  random.fill(frame, cv::RNG::UNIFORM, 0, 256);
  return frame;
}

cv::Mat half_hot_map() {
  cv::Mat map = cv::Mat::zeros(kSize, CV_32F);
  map.colRange(320, 640).setTo(1);
  return map;
}

Explained explained_frame() {
  Explanation explanation;
  explanation.top = {{281, "tabby", 0.78f}, {282, "tiger cat", 0.1f}};
  explanation.targets = {explanation.top[0]};
  explanation.method = "gradcam";
  explanation.layers = {"layer4"};
  Explained explained;
  explained.explanation = std::make_shared<const Explanation>(explanation);
  return explained;
}

Explained failed_frame() {
  Explained explained;
  explained.prepared.frame.fail("explain: no luck");
  return explained;
}

OverlayOptions options_for(ViewKind view, bool hud) {
  OverlayOptions options;
  options.view = view;
  options.hud = hud;
  return options;
}

bool same(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

TEST(DrawView, OriginalIsTheInput) {
  const cv::Mat frame = noisy_frame();
  const cv::Mat view = draw_view(frame, half_hot_map(), {}, explained_frame(), kText,
                                 options_for(ViewKind::kOriginal, false));
  EXPECT_TRUE(same(view, frame));
  EXPECT_NE(view.data, frame.data);
}

TEST(DrawView, HeatmapIsTheColouredMap) {
  const cv::Mat view = draw_view(noisy_frame(), half_hot_map(), {}, explained_frame(), kText,
                                 options_for(ViewKind::kHeatmap, false));
  EXPECT_TRUE(same(view, colorize(half_hot_map(), Colormap::kJet)));
}

TEST(DrawView, OverlayIsRedWhereItIsHot) {
  const cv::Mat black = cv::Mat::zeros(kSize, CV_8UC3);
  const cv::Mat view = draw_view(black, half_hot_map(), {}, explained_frame(), kText,
                                 options_for(ViewKind::kOverlay, false));
  EXPECT_EQ(view.at<cv::Vec3b>(100, 100), cv::Vec3b(64, 0, 0));
  EXPECT_EQ(view.at<cv::Vec3b>(100, 500), cv::Vec3b(0, 0, 64));
}

TEST(DrawView, NotebookStyleAddsTheHeat) {
  OverlayOptions options = options_for(ViewKind::kOverlay, false);
  options.style = Style::kNotebook;
  options.opacity = 0.4;
  const cv::Mat grey(kSize, CV_8UC3, cv::Scalar::all(100));
  const cv::Mat view = draw_view(grey, half_hot_map(), {}, explained_frame(), kText, options);
  EXPECT_EQ(view.at<cv::Vec3b>(100, 100), cv::Vec3b(151, 100, 100));
  EXPECT_EQ(view.at<cv::Vec3b>(100, 500), cv::Vec3b(100, 100, 151));
}

TEST(DrawView, WithoutMapThePictureIsPlain) {
  const cv::Mat frame = noisy_frame();
  for (const ViewKind view : {ViewKind::kOverlay, ViewKind::kHeatmap, ViewKind::kOriginal}) {
    EXPECT_TRUE(
        same(draw_view(frame, {}, {}, failed_frame(), kText, options_for(view, false)), frame));
  }
}

TEST(DrawView, SideBySideHoldsOriginalAndOverlay) {
  const cv::Mat frame = noisy_frame();
  const cv::Mat map = half_hot_map();
  const cv::Mat view = draw_view(frame, map, {}, explained_frame(), kText,
                                 options_for(ViewKind::kSideBySide, false));
  const cv::Mat overlay =
      draw_view(frame, map, {}, explained_frame(), kText, options_for(ViewKind::kOverlay, false));
  ASSERT_EQ(view.size(), side_by_side_size(kSize));
  const int top = view.rows - view.rows % 2 - kSize.height - 1;
  bool found = false;  // the title's height is the layout's affair
  for (int y = top; y <= top + 1 && !found; ++y) {
    found = same(view(cv::Rect({0, y}, kSize)), frame);
    for (int x = kSize.width; found && x < kSize.width + 20; ++x) {
      if (same(view(cv::Rect({x, y}, kSize)), overlay)) return;
    }
  }
  FAIL() << "original or overlay is not in the picture";
}

TEST(DrawView, SizeIsTheSameForEveryFrame) {
  const cv::Mat frame = noisy_frame();
  for (const ViewKind view :
       {ViewKind::kOverlay, ViewKind::kHeatmap, ViewKind::kSideBySide, ViewKind::kOriginal}) {
    const cv::Size expected = view == ViewKind::kSideBySide ? side_by_side_size(kSize) : kSize;
    for (const bool hud : {false, true}) {
      const OverlayOptions options = options_for(view, hud);
      EXPECT_EQ(draw_view(frame, half_hot_map(), {}, explained_frame(), kText, options).size(),
                expected);
      EXPECT_EQ(draw_view(frame, {}, {}, failed_frame(), kText, options).size(), expected);
    }
  }
}

TEST(DrawView, IsPureAndLeavesItsInputAlone) {
  const cv::Mat frame = noisy_frame();
  const cv::Mat map = half_hot_map();
  for (const ViewKind view :
       {ViewKind::kOverlay, ViewKind::kHeatmap, ViewKind::kSideBySide, ViewKind::kOriginal}) {
    const OverlayOptions options = options_for(view, true);
    const cv::Mat first = draw_view(frame, map, {}, explained_frame(), kText, options);
    const cv::Mat second = draw_view(frame, map, {}, explained_frame(), kText, options);
    EXPECT_TRUE(same(first, second));
  }
  EXPECT_TRUE(same(frame, noisy_frame()));
  EXPECT_TRUE(same(map, half_hot_map()));
}

TEST(DrawView, HudShowsOnTheLeftOnly) {
  const cv::Mat frame = noisy_frame();
  const cv::Mat view = draw_view(frame, half_hot_map(), {}, explained_frame(), kText,
                                 options_for(ViewKind::kOriginal, true));
  EXPECT_FALSE(same(view.colRange(0, 230), frame.colRange(0, 230)));
  EXPECT_TRUE(same(view.colRange(230, 640), frame.colRange(230, 640)));
}

}  // namespace
}  // namespace gradcam
