#include "stages/overlay/hud.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "stages/overlay/text.h"

namespace gradcam {
namespace {

Explanation explanation_with_target(std::size_t rank) {
  Explanation explanation;
  explanation.top = {{281, "tabby, tabby cat, with a label far too long for any panel", 0.9f},
                     {282, "tiger cat", 0.05f},
                     {285, "Egyptian cat", 0.02f},
                     {287, "lynx", 0.01f},
                     {478, "carton", 0.005f}};
  explanation.targets = {explanation.top[rank]};
  explanation.method = "gradcam";
  explanation.layers = {"features.denseblock4.denselayer16.conv2"};
  return explanation;
}

Explained explained_by(Explanation explanation) {
  Explained explained;
  explained.explanation = std::make_shared<const Explanation>(std::move(explanation));
  return explained;
}

Explained failed_with(const std::string& error) {
  Explained explained;
  explained.prepared.frame.fail(error);
  return explained;
}

const HudText kText{"efficientnet_lite0", "cam1", 24.8, 38.2, 51.0, 12};

/// Box around all pixels that the HUD changed on an even background.
cv::Rect changed_box(cv::Size size, const Explained& explained, int background) {
  cv::Mat picture(size, CV_8UC3, cv::Scalar::all(background));
  const cv::Mat before = picture.clone();
  draw_hud(picture, explained, kText);
  cv::Mat difference;
  cv::absdiff(picture, before, difference);
  cv::cvtColor(difference, difference, cv::COLOR_BGR2GRAY);
  return cv::boundingRect(difference);
}

/// Pixels in the colour of the target's bar.
int orange_pixels(const Explained& explained) {
  cv::Mat picture = cv::Mat::zeros(272, 640, CV_8UC3);
  draw_hud(picture, explained, kText);
  cv::Mat orange;
  cv::inRange(picture, cv::Scalar(0, 90, 190), cv::Scalar(80, 150, 255), orange);
  return cv::countNonZero(orange);
}

TEST(Hud, TheNoteStandsAtTheBottomOfSmallPicturesToo) {
  for (const cv::Size size : {cv::Size(224, 224), cv::Size(640, 480)}) {
    const auto lowest = [&](const std::string& note) {
      cv::Mat picture(size, CV_8UC3, cv::Scalar::all(90));
      const cv::Mat before = picture.clone();
      HudText text = kText;
      text.note = note;
      draw_hud(picture, explained_by(explanation_with_target(0)), text);
      cv::Mat difference;
      cv::absdiff(picture, before, difference);
      cv::cvtColor(difference, difference, cv::COLOR_BGR2GRAY);
      return cv::boundingRect(difference).br().y;
    };
    EXPECT_LT(lowest(""), size.height * 3 / 4) << size;
    EXPECT_GT(lowest("no clinical meaning"), size.height * 9 / 10) << size;
  }
}

TEST(ScoreText, ProbabilitiesArePerCent) {
  EXPECT_EQ(score_text(0.7812f), "78.1 %");
  EXPECT_EQ(score_text(1), "100.0 %");
  EXPECT_EQ(score_text(0), "0.0 %");
}

TEST(ScoreText, OtherScoresAreNumbers) {
  EXPECT_EQ(score_text(12.345f), "12.3");
  EXPECT_EQ(score_text(-0.25f), "-0.25");
}

TEST(TargetText, NamesLabelAndScore) {
  EXPECT_EQ(target_text({{281, "tabby", 0.781f}}, 15, 500), "tabby 78.1 %");
  EXPECT_EQ(target_text({{281, "", 0.781f}}, 15, 500), "class 281 78.1 %");
  EXPECT_EQ(target_text({{1, "cat", 0.5f}, {2, "dog", 0.25f}}, 15, 500), "cat 50.0 %, dog 25.0 %");
  EXPECT_EQ(target_text({}, 15, 500), "");
}

TEST(TargetText, LabelGivesWayBeforeScore) {
  const std::string text = target_text({{281, "a label that is far too long", 0.781f}}, 15, 120);
  EXPECT_LE(text_width(text, 15), 120);
  EXPECT_NE(text.find("... 78.1 %"), std::string::npos) << text;
}

class HudSizes : public testing::TestWithParam<cv::Size> {};

TEST_P(HudSizes, StaysInsideThePicture) {
  const cv::Size size = GetParam();
  const cv::Rect inside(1, 1, size.width - 2, size.height - 2);
  for (const int background : {0, 128, 255}) {
    for (const Explained& explained :
         {explained_by(explanation_with_target(0)),
          failed_with("explain: the heat map holds a NaN, and this goes on for quite a while " +
                      std::string(5000, 'x'))}) {
      const cv::Rect box = changed_box(size, explained, background);
      EXPECT_FALSE(box.empty());
      EXPECT_EQ(box & inside, box) << size << " " << box;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Frames, HudSizes,
                         testing::Values(cv::Size(160, 120), cv::Size(319, 239), cv::Size(320, 240),
                                         cv::Size(640, 272), cv::Size(720, 1280),
                                         cv::Size(1280, 720), cv::Size(1921, 1081),
                                         cv::Size(3840, 2160)));

TEST(Hud, TinyPicturesAreNoReasonToFail) {
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(16, 16), cv::Size(1000, 3)}) {
    cv::Mat picture(size, CV_8UC3, cv::Scalar::all(90));
    EXPECT_NO_THROW(draw_hud(picture, explained_by(explanation_with_target(0)), kText));
    EXPECT_NO_THROW(draw_hud(picture, failed_with("broken"), kText));
  }
}

TEST(Hud, LeavesTheRightTwoThirdsFree) {
  for (const cv::Size size : {cv::Size(640, 272), cv::Size(1280, 720), cv::Size(3840, 2160)}) {
    const cv::Rect box = changed_box(size, explained_by(explanation_with_target(0)), 128);
    EXPECT_LT(box.br().x, size.width * 36 / 100) << size;
    EXPECT_LT(box.br().y, size.height * 85 / 100) << size;
  }
}

TEST(Hud, BarsStayWhereNotAllFits) {
  // At 320x240 model and method give way; the target's bar is the first of the best classes.
  cv::Mat picture = cv::Mat::zeros(240, 320, CV_8UC3);
  draw_hud(picture, explained_by(explanation_with_target(0)), kText);
  cv::Mat orange;
  cv::inRange(picture, cv::Scalar(0, 90, 190), cv::Scalar(80, 150, 255), orange);
  EXPECT_GT(cv::countNonZero(orange), 500);
}

TEST(Hud, ACarriedMapTellsItsAge) {
  Explained own = explained_by(explanation_with_target(0));
  Explained carried = own;
  carried.prepared.frame.seq = 3;
  carried.map_age = std::chrono::milliseconds(100);
  EXPECT_GT(changed_box({1280, 720}, carried, 128).height,
            changed_box({1280, 720}, own, 128).height);
}

TEST(Hud, SmallPicturesShowOneLine) {
  const cv::Rect box = changed_box({300, 200}, explained_by(explanation_with_target(1)), 128);
  EXPECT_LT(box.height, 2 * line_height_for({300, 200}));
}

TEST(Hud, TheTargetsBarIsHighlightedByItsScore) {
  const int first = orange_pixels(explained_by(explanation_with_target(0)));
  const int second = orange_pixels(explained_by(explanation_with_target(1)));
  EXPECT_GT(first, 1500);  // 0.9 of a bar of some 197x17 pixels
  EXPECT_LT(second, first / 4);
}

TEST(Hud, BrightGroundsAreDarkenedUnderTheText) {
  cv::Mat picture(272, 640, CV_8UC3, cv::Scalar::all(255));
  draw_hud(picture, explained_by(explanation_with_target(0)), kText);
  const cv::Vec3b ground = picture.at<cv::Vec3b>(12, 100);  // between edge and title
  for (int c = 0; c < 3; ++c) EXPECT_LT(ground[c], 110);
}

TEST(Hud, AFailedFrameShowsItsMessageAtTheBottom) {
  const cv::Rect box = changed_box({640, 272}, failed_with("no luck"), 128);
  EXPECT_GT(box.br().y, 250);
  EXPECT_LT(box.br().y, 272);
}

}  // namespace
}  // namespace gradcam
