#include "pipeline/render.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace gradcam
