#include "stages/explain/tasks/box_tracker.h"

#include <gtest/gtest.h>

#include "stages/explain/tasks/decode_boxes.h"

namespace gradcam {
namespace {

using Ids = std::vector<std::int64_t>;

/// 10x10 pixels from (x, 0); two of them `shift` apart overlap by (10 - shift) / (10 + shift).
Detection at(float x, int index = 0) { return {{x, 0, x + 10, 10}, index, 0.9F}; }

TEST(BoxTracker, NumbersStartAtOneInTheDetectionsOrder) {
  BoxTracker tracker;
  EXPECT_EQ(tracker.update({at(0), at(100), at(200)}), (Ids{1, 2, 3}));
}

TEST(BoxTracker, AMovedBoxKeepsItsNumberWhateverItsPlaceInTheList) {
  BoxTracker tracker;
  tracker.update({at(0), at(100)});
  EXPECT_EQ(tracker.update({at(104), at(3)}), (Ids{2, 1}));
  EXPECT_EQ(tracker.update({at(108), at(6)}), (Ids{2, 1}));
}

TEST(BoxTracker, TooLittleOverlapIsAnotherObject) {
  BoxTracker tracker({.min_iou = 0.5F});
  tracker.update({at(0)});
  EXPECT_EQ(tracker.update({at(4)}), (Ids{2}));  // 6/14
  EXPECT_EQ(tracker.update({at(7)}), (Ids{2}));  // 7/13
}

TEST(BoxTracker, AnotherClassIsAnotherObject) {
  BoxTracker tracker;
  tracker.update({at(0, 2)});
  EXPECT_EQ(tracker.update({at(0, 7)}), (Ids{2}));
  EXPECT_EQ(tracker.update({at(0, 2), at(0, 7)}), (Ids{1, 2}));
}

TEST(BoxTracker, TheBestOverlapIsServedFirst) {
  // 4 lies 6/14 over 0 and 8/12 over 6, which has it; the first object goes to the box at 0.
  BoxTracker tracker;
  tracker.update({at(0), at(6)});
  EXPECT_EQ(tracker.update({at(4), at(1)}), (Ids{2, 1}));
  EXPECT_EQ(tracker.update({at(4)}), (Ids{2}));
}

TEST(BoxTracker, OfEqualOverlapsTheOlderObjectAndTheEarlierBoxGoTogether) {
  BoxTracker tracker;
  EXPECT_EQ(tracker.update({at(0), at(4)}), (Ids{1, 2}));
  EXPECT_EQ(tracker.update({at(2)}), (Ids{1}));  // 8/12 over both
  BoxTracker other;
  other.update({at(2)});
  EXPECT_EQ(other.update({at(4), at(0)}), (Ids{1, 2}));
}

TEST(BoxTracker, AnObjectSurvivesSomeFramesWithoutItsBox) {
  BoxTracker tracker({.max_missed = 2});
  tracker.update({at(0)});
  tracker.update({});
  tracker.update({at(100)});
  EXPECT_EQ(tracker.update({at(1)}), (Ids{1}));
}

TEST(BoxTracker, AfterThatItIsGoneAndItsNumberIsNotUsedAgain) {
  BoxTracker tracker({.max_missed = 2});
  tracker.update({at(0)});
  for (int i = 0; i < 3; ++i) tracker.update({});
  EXPECT_EQ(tracker.update({at(0)}), (Ids{2}));
}

TEST(BoxTracker, ABoxFoundAgainStartsTheCountAnew) {
  BoxTracker tracker({.max_missed = 1});
  tracker.update({at(0)});
  for (int i = 0; i < 5; ++i) {
    tracker.update({});
    EXPECT_EQ(tracker.update({at(0)}), (Ids{1}));
  }
}

TEST(BoxTracker, WithoutPatienceOneMissedFrameIsTheEnd) {
  BoxTracker tracker({.max_missed = 0});
  tracker.update({at(0)});
  EXPECT_EQ(tracker.update({at(0)}), (Ids{1}));
  tracker.update({});
  EXPECT_EQ(tracker.update({at(0)}), (Ids{2}));
}

}  // namespace
}  // namespace gradcam
