#include "stages/frame/box.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

void expect_box(const Box& box, const Box& expected) {
  EXPECT_FLOAT_EQ(box.x1, expected.x1);
  EXPECT_FLOAT_EQ(box.y1, expected.y1);
  EXPECT_FLOAT_EQ(box.x2, expected.x2);
  EXPECT_FLOAT_EQ(box.y2, expected.y2);
}

TEST(Box, HasNoAreaWithItsEdgesTheWrongWayRound) {
  EXPECT_EQ((Box{1, 2, 4, 6}).area(), 12);
  EXPECT_EQ((Box{4, 2, 1, 6}).area(), 0);
  EXPECT_EQ((Box{4, 6, 1, 2}).area(), 0);
}

TEST(Iou, IsTheCommonAreaOverThatOfBoth) {
  // 2x4 in common, 16 + 16 - 8 in all.
  EXPECT_FLOAT_EQ(iou({0, 0, 4, 4}, {2, 0, 6, 4}), 8.F / 24);
  EXPECT_EQ(iou({0, 0, 4, 4}, {0, 0, 4, 4}), 1);
  EXPECT_FLOAT_EQ(iou({0, 0, 4, 4}, {1, 1, 3, 3}), 4.F / 16);
}

TEST(Iou, IsZeroForBoxesThatOnlyTouchOrHaveNoArea) {
  EXPECT_EQ(iou({0, 0, 4, 4}, {4, 0, 8, 4}), 0);
  EXPECT_EQ(iou({0, 0, 4, 4}, {5, 5, 8, 8}), 0);
  EXPECT_EQ(iou({2, 2, 2, 2}, {2, 2, 2, 2}), 0);
}

// A frame of 768x432 in the top left of 416x416: 416/768 = 13/24, so 416x234 are used.
const Mapping kTopLeft{768, 432, {0, 0, 768, 432}, {0, 0, 416, 234}};

TEST(OnFrame, TakesALetterboxAtTheTopLeftBack) {
  expect_box(on_frame({104, 117, 208, 234}, kTopLeft), {192, 216, 384, 432});
}

TEST(OnFrame, ClipsToTheFrame) {
  expect_box(on_frame({-5, -5, 500, 300}, kTopLeft), {0, 0, 768, 432});
  expect_box(on_frame({13, 221, 26, 300}, kTopLeft), {24, 408, 48, 432});
}

TEST(OnFrame, WhatLiesInThePaddingHasNoArea) {
  EXPECT_EQ(on_frame({10, 240, 50, 400}, kTopLeft).area(), 0);
}

TEST(OnFrame, TakesACenteredLetterboxBack) {
  // 16x8 in 8x8: rows 2 to 5, everything twice as large in the frame.
  const Mapping centered{16, 8, {0, 0, 16, 8}, {0, 2, 8, 4}};
  expect_box(on_frame({2, 3, 6, 5}, centered), {4, 2, 12, 6});
}

TEST(OnFrame, TakesAStretchedInputBack) {
  const Mapping stretched{640, 360, {0, 0, 640, 360}, {0, 0, 320, 320}};
  expect_box(on_frame({32, 32, 64, 64}, stretched), {64, 36, 128, 72});
}

TEST(OnFrame, ACropsBoxMayReachBeyondTheCrop) {
  // The middle 480x480 of 640x480 as 240x240.
  const Mapping crop{640, 480, {80, 0, 480, 480}, {0, 0, 240, 240}};
  expect_box(on_frame({0, 0, 120, 120}, crop), {80, 0, 320, 240});
  expect_box(on_frame({-10, 0, 250, 240}, crop), {60, 0, 580, 480});
}

}  // namespace
}  // namespace gradcam
