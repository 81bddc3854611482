#include "stages/overlay/box_drawing.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>
#include <optional>
#include <ostream>

#include "stages/overlay/text.h"

namespace gradcam {
namespace {

const cv::Size kFrame(640, 360);

DetectedObject car(Box box, bool explained = false) { return {box, 2, "car", 0.87F, 4, explained}; }

cv::Mat drawn(const std::vector<DetectedObject>& objects, cv::Size size = kFrame,
              int ground = 128) {
  cv::Mat picture(size, CV_8UC3, cv::Scalar::all(ground));
  draw_boxes(picture, objects);
  return picture;
}

/// Pixels that have exactly this colour.
int count(const cv::Mat& picture, const cv::Scalar& color) {
  cv::Mat same;
  cv::inRange(picture, color, color, same);
  return cv::countNonZero(same);
}

TEST(BoxText, IsLabelNumberAndScore) {
  EXPECT_EQ(box_text(car({}), 15, 500), "car #4 87 %");
  EXPECT_EQ(box_text({{}, 2, "", 0.5F}, 15, 500), "class 2 50 %");
  EXPECT_EQ(box_text({{}, 0, "Grünspecht", 1.0F}, 15, 500), "Grunspecht 100 %");
}

TEST(BoxText, LabelGivesWayBeforeNumberAndNumberBeforeScore) {
  const DetectedObject object{{}, 2, "a very long label", 0.87F, 12};
  const std::string all = box_text(object, 15, 130);
  EXPECT_NE(all.find("... #12 87 %"), std::string::npos) << all;
  EXPECT_LE(text_width(all, 15), 130);
  EXPECT_EQ(box_text(object, 15, text_width("#12 87 %", 15)), "#12 87 %");
  EXPECT_EQ(box_text(object, 15, text_width("87 %", 15)), "87 %");
  EXPECT_EQ(box_text(object, 15, 5), "");
}

TEST(ClassColor, StaysTheSameAndNeighboursDiffer) {
  EXPECT_EQ(class_color(2), class_color(2));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_GT(cv::norm(class_color(i) - class_color(i + 1)), 100) << i;
  }
}

TEST(ClassColor, EightyClassesHaveEightyColors) {
  for (int i = 0; i < 80; ++i) {
    for (int k = 0; k < i; ++k) EXPECT_NE(class_color(i), class_color(k)) << i << " " << k;
  }
}

const cv::Size kLabel(60, 15);

struct Placed {
  const char* what;
  cv::Rect box;
  std::vector<cv::Rect> taken;
  cv::Point at;
};
std::ostream& operator<<(std::ostream& out, const Placed& placed) { return out << placed.what; }

class LabelPlaces : public testing::TestWithParam<Placed> {};

TEST_P(LabelPlaces, IsInTheFrameAndClearOfOthers) {
  const Placed& placed = GetParam();
  EXPECT_EQ(label_place(placed.box, kLabel, kFrame, placed.taken), cv::Rect(placed.at, kLabel));
}

INSTANTIATE_TEST_SUITE_P(
    Boxes, LabelPlaces,
    testing::Values(
        Placed{"AboveTheBox", {100, 100, 50, 40}, {}, {100, 85}},
        Placed{"BelowAtTheTopOfTheFrame", {100, 10, 50, 40}, {}, {100, 50}},
        Placed{"InsideOfABoxAsHighAsTheFrame", {100, 5, 50, 350}, {}, {100, 5}},
        Placed{"MovedInAtTheRight", {630, 100, 10, 40}, {}, {580, 85}},
        Placed{"MovedInAtTheLeft", {0, 100, 10, 40}, {}, {0, 85}},
        Placed{"BelowWhereAboveIsTaken", {100, 100, 50, 40}, {{110, 80, 9, 9}}, {100, 140}},
        Placed{"InsideWhereBothAreTaken",
               {100, 100, 50, 40},
               {{110, 80, 9, 9}, {90, 150, 99, 9}},
               {100, 100}}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(LabelPlace, IsNowhereIfNoPlaceIsClear) {
  EXPECT_EQ(label_place({100, 100, 50, 40}, kLabel, kFrame, {{90, 80, 99, 99}}), std::nullopt);
}

TEST(LabelPlace, IsNotInsideALowBox) {
  const std::vector<cv::Rect> above_and_below = {{90, 80, 99, 9}, {90, 130, 99, 9}};
  EXPECT_EQ(label_place({100, 100, 50, 29}, kLabel, kFrame, above_and_below), std::nullopt);
  EXPECT_EQ(label_place({100, 100, 50, 30}, kLabel, kFrame, above_and_below),
            cv::Rect({100, 100}, kLabel));
}

TEST(DrawBoxes, TheLineLiesOnTheBoxInTheColorOfItsClass) {
  const cv::Mat picture = drawn({car({100, 100, 300, 200})});
  const cv::Scalar color = class_color(2);
  const cv::Vec3b expected(static_cast<uchar>(color[0]), static_cast<uchar>(color[1]),
                           static_cast<uchar>(color[2]));
  EXPECT_EQ(picture.at<cv::Vec3b>(150, 100), expected);  // left, right, bottom; y first
  EXPECT_EQ(picture.at<cv::Vec3b>(150, 299), expected);
  EXPECT_EQ(picture.at<cv::Vec3b>(199, 200), expected);
  EXPECT_EQ(picture.at<cv::Vec3b>(150, 200), cv::Vec3b(128, 128, 128));  // the object stays free
}

TEST(DrawBoxes, DarkEdgesSetTheLineOffFromABrightGround) {
  const cv::Mat picture = drawn({car({100, 100, 300, 200})}, kFrame, 255);
  int darkest = 255;
  for (int x = 95; x < 110; ++x) {
    const cv::Vec3b& pixel = picture.at<cv::Vec3b>(150, x);
    darkest = std::min(darkest, std::max({pixel[0], pixel[1], pixel[2]}) + 0);
  }
  EXPECT_LT(darkest, 130);
}

TEST(DrawBoxes, TheExplainedBoxStandsOut) {
  const int plain = count(drawn({car({100, 100, 300, 200})}), class_color(2));
  const int explained = count(drawn({car({100, 100, 300, 200}, true)}), class_color(2));
  EXPECT_GT(plain, 500);  // 600 pixels around
  EXPECT_GT(explained, 2 * plain);
}

TEST(DrawBoxes, TheExplainedBoxLiesAboveOthers) {
  DetectedObject other = car({150, 50, 250, 250});
  other.index = 5;
  other.score = 0.99F;
  const cv::Scalar color = class_color(2);
  for (const bool first : {true, false}) {
    std::vector<DetectedObject> objects = {car({100, 100, 300, 200}, true), other};
    if (!first) std::swap(objects[0], objects[1]);
    const cv::Vec3b crossing = drawn(objects).at<cv::Vec3b>(199, 150);
    EXPECT_EQ(crossing[0], color[0]);
    EXPECT_EQ(crossing[2], color[2]);
  }
}

TEST(DrawBoxes, LabelsOfOthersStayOffTheExplainedObject) {
  // Above the small box and below it lies the explained one, which it is too low to hold itself.
  DetectedObject inner = car({200, 150, 230, 165});
  inner.index = 5;
  const cv::Mat picture = drawn({car({100, 50, 400, 300}, true), inner});
  const cv::Rect around(110, 100, 280, 180);
  cv::Mat changed = picture(around).clone();
  changed(cv::Rect(80, 40, 60, 40)).setTo(cv::Scalar::all(128));  // the small box itself
  EXPECT_EQ(cv::countNonZero(changed.reshape(1) != 128), 0);
}

TEST(DrawBoxes, LinesAndLabelsGrowWithTheFrame) {
  const cv::Mat small = drawn({car({100, 100, 300, 200})});
  const cv::Mat large = drawn({car({600, 600, 1800, 1200})}, kFrame * 6);
  EXPECT_GT(count(large, class_color(2)), 6 * 2 * count(small, class_color(2)));
}

TEST(DrawBoxes, AtTheEdgeOfTheFrameTheWholeLineShows) {
  const cv::Mat picture = drawn({car({0, 0, 640, 360})});
  const cv::Scalar color = class_color(2);
  EXPECT_GT(count(picture.col(1), color), 300);
  EXPECT_GT(count(picture.col(638), color), 300);
  EXPECT_GT(count(picture.row(358), color), 600);
}

TEST(DrawBoxes, WhatIsOutsideTheFrameOrEmptyIsLeftOut) {
  const cv::Mat picture =
      drawn({car({700, 10, 800, 20}), car({-50, -50, -1, -1}), car({300, 100, 300, 200})});
  EXPECT_EQ(cv::countNonZero(picture.reshape(1) != 128), 0);
}

TEST(DrawBoxes, TinyPicturesAndBoxesAreNoReasonToFail) {
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(16, 16), cv::Size(1000, 3)}) {
    EXPECT_NO_THROW(drawn({car({0, 0, 1, 1}), car({-9, -9, 2000, 99}, true)}, size));
  }
}

}  // namespace
}  // namespace gradcam
