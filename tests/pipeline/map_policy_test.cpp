#include "pipeline/map_policy.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

using Way = CarryPolicy::Way;

MapOutcome map_of(std::int64_t frame) {
  Explanation explanation;
  explanation.frame_seq = frame;
  return {static_cast<std::uint64_t>(frame), std::make_shared<const Explanation>(explanation), ""};
}

/// Frames of one stream, and what they passed with.
struct Frames {
  CarryPolicy policy;
  std::map<std::uint64_t, MapOutcome> passed;

  Way decide(std::uint64_t ticket) {
    return policy.decide(ticket, [this, ticket](const MapOutcome& map) { passed[ticket] = map; });
  }
  /// The frame whose map this one carries; -1 = it has not passed, -2 = it passed with an error.
  std::int64_t carried_by(std::uint64_t ticket) const {
    const auto found = passed.find(ticket);
    if (found == passed.end()) return -1;
    return found->second.explanation ? found->second.explanation->frame_seq : -2;
  }
};

TEST(CarryPolicy, EveryFrameIsExplainedByDefault) {
  Frames frames{CarryPolicy({1, true}), {}};
  for (const std::uint64_t ticket : {0, 1, 2}) {
    EXPECT_EQ(frames.decide(ticket), Way::kOwn);
    frames.policy.finished(map_of(0));
  }
  EXPECT_TRUE(frames.passed.empty());
}

TEST(CarryPolicy, FilmFramesCarryTheMapOfTheOneBeforeThemWhoseTurnItWas) {
  Frames frames{CarryPolicy({3, false}), {}};
  EXPECT_EQ(frames.decide(0), Way::kOwn);
  EXPECT_EQ(frames.decide(1), Way::kCarry);
  EXPECT_EQ(frames.carried_by(1), -1);  // waits for the map of 0
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.carried_by(1), 0);
  EXPECT_EQ(frames.decide(2), Way::kCarry);
  EXPECT_EQ(frames.carried_by(2), 0);  // it is there already
  EXPECT_EQ(frames.decide(3), Way::kOwn);
  EXPECT_EQ(frames.decide(4), Way::kCarry);
  EXPECT_EQ(frames.carried_by(4), -1);  // not the older one
}

TEST(CarryPolicy, FilmFramesWaitForTheirOwnKeyFrameAlsoWhenALaterOneIsDone) {
  Frames frames{CarryPolicy({2, false}), {}};
  for (const std::uint64_t ticket : {0, 1, 2, 3}) frames.decide(ticket);
  frames.policy.finished(map_of(2));
  EXPECT_EQ(frames.carried_by(1), -1);
  EXPECT_EQ(frames.carried_by(3), 2);
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.carried_by(1), 0);
}

TEST(CarryPolicy, FilmFramesFailWithTheErrorOfTheMapTheyWouldCarry) {
  Frames frames{CarryPolicy({3, false}), {}};
  frames.decide(0);
  frames.decide(1);
  frames.policy.finished({0, nullptr, "no luck"});
  EXPECT_EQ(frames.passed.at(1).error, "no luck");
  frames.decide(2);
  EXPECT_EQ(frames.passed.at(2).error, "no luck");
  frames.policy.failed_before(3, "no blob");
  EXPECT_EQ(frames.decide(4), Way::kCarry);
  EXPECT_EQ(frames.passed.at(4).error, "no blob");
}

TEST(CarryPolicy, FilmFrameThatFailsAndWouldHaveCarriedIsNoKeyFrame) {
  Frames frames{CarryPolicy({3, false}), {}};
  frames.decide(0);
  frames.policy.failed_before(1, "no blob");
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.decide(2), Way::kCarry);
  EXPECT_EQ(frames.carried_by(2), 0);
  EXPECT_EQ(frames.decide(3), Way::kOwn);
}

TEST(CarryPolicy, LiveFramesWaitForTheirOwnMapUntilThereIsOne) {
  Frames frames{CarryPolicy({2, true}), {}};
  EXPECT_EQ(frames.decide(0), Way::kOwn);
  EXPECT_EQ(frames.decide(1), Way::kOwn);
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.decide(2), Way::kCarry);  // the engine still has 1
  EXPECT_EQ(frames.carried_by(2), 0);
}

TEST(CarryPolicy, LiveFramesPassAtOnceWithTheNewestMap) {
  Frames frames{CarryPolicy({3, true}), {}};
  frames.decide(0);
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.decide(1), Way::kCarry);
  EXPECT_EQ(frames.decide(2), Way::kCarry);
  EXPECT_EQ(frames.decide(3), Way::kCarryExplain);  // the third since 0
  EXPECT_EQ(frames.carried_by(3), 0);
  EXPECT_EQ(frames.decide(4), Way::kCarry);
  frames.policy.finished(map_of(3));
  EXPECT_EQ(frames.decide(5), Way::kCarry);
  EXPECT_EQ(frames.carried_by(5), 3);
}

TEST(CarryPolicy, LiveEngineIsGivenAFrameAsSoonAsItIsIdle) {
  Frames frames{CarryPolicy({2, true}), {}};
  frames.decide(0);
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.decide(2), Way::kCarryExplain);
  for (const std::uint64_t ticket : {3, 4, 5, 6}) EXPECT_EQ(frames.decide(ticket), Way::kCarry);
  frames.policy.finished(map_of(2));
  EXPECT_EQ(frames.decide(7), Way::kCarryExplain);
}

TEST(CarryPolicy, LiveMapIsNeverReplacedByAnOlderOne) {
  Frames frames{CarryPolicy({2, true}), {}};
  frames.decide(0);
  frames.decide(1);
  frames.policy.finished(map_of(1));
  frames.policy.finished(map_of(0));
  frames.decide(2);
  EXPECT_EQ(frames.carried_by(2), 1);
}

TEST(CarryPolicy, LiveFailureIsSeenUntilTheNextMap) {
  Frames frames{CarryPolicy({2, true}), {}};
  frames.decide(0);
  frames.policy.finished(map_of(0));
  frames.policy.failed_before(1, "a frame that never came here");
  EXPECT_EQ(frames.decide(2), Way::kCarryExplain);
  EXPECT_EQ(frames.carried_by(2), 0);
  frames.policy.finished({2, nullptr, "no luck"});
  EXPECT_EQ(frames.decide(3), Way::kCarryExplain);  // not before its time: 2 came to nothing
  EXPECT_EQ(frames.passed.at(3).error, "no luck");
  EXPECT_EQ(frames.passed.at(3).ticket, 2U);
  EXPECT_EQ(frames.decide(4), Way::kCarry);
  EXPECT_EQ(frames.passed.at(4).error, "no luck");
  frames.policy.finished(map_of(3));
  frames.decide(5);
  EXPECT_EQ(frames.carried_by(5), 3);
}

MapOutcome map_that_took(std::int64_t frame, double ms) {
  Explanation explanation;
  explanation.frame_seq = frame;
  explanation.explain_ms = ms;
  return {static_cast<std::uint64_t>(frame), std::make_shared<const Explanation>(explanation), ""};
}

/// Explains `count` frames at `ms` each under the policy, and says how many it gave to the engine.
int given_to_engine(Frames& frames, std::uint64_t& ticket, int count, double ms) {
  int given = 0;
  for (int i = 0; i < count; ++i, ++ticket) {
    if (frames.decide(ticket) == Way::kCarry) continue;
    ++given;
    frames.policy.finished(map_that_took(static_cast<std::int64_t>(ticket), ms));
  }
  return given;
}

TEST(Budget, WithinItEachFrameWaitsForItsOwnMap) {
  Frames frames{CarryPolicy({1, false, 33}), {}};
  for (const std::uint64_t ticket : {0, 1, 2, 3}) {
    EXPECT_EQ(frames.decide(ticket), Way::kOwn);
    frames.policy.finished(map_that_took(static_cast<std::int64_t>(ticket), 20));
  }
}

TEST(Budget, AboveItExactlyEveryKthFrameOfAFilmIsExplained) {
  Frames frames{CarryPolicy({1, false, 33}), {}};
  std::vector<std::uint64_t> own;
  for (std::uint64_t ticket = 0; ticket < 12; ++ticket) {
    if (frames.decide(ticket) != Way::kOwn) continue;
    own.push_back(ticket);
    frames.policy.finished(map_that_took(static_cast<std::int64_t>(ticket), 80));
  }
  // What a map costs was not known at 0; 80 ms need three frames of 33.
  EXPECT_EQ(own, (std::vector<std::uint64_t>{0, 1, 4, 7, 10}));
  EXPECT_EQ(frames.carried_by(3), 1);
  EXPECT_EQ(frames.carried_by(11), 10);
}

TEST(Budget, AFilmWaitsForTheMapsOfItsKeyFrames) {
  Frames frames{CarryPolicy({1, false, 33}), {}};
  std::uint64_t ticket = 0;
  given_to_engine(frames, ticket, 1, 80);
  std::vector<Way> ways;
  for (; ticket < 6; ++ticket) ways.push_back(frames.decide(ticket));
  EXPECT_EQ(ways, (std::vector<Way>{Way::kOwn, Way::kCarry, Way::kCarry, Way::kOwn, Way::kCarry}));
  EXPECT_EQ(frames.carried_by(2), -1);
  frames.policy.finished(map_that_took(1, 80));
  EXPECT_EQ(frames.carried_by(2), 1);
  EXPECT_EQ(frames.carried_by(3), 1);
  EXPECT_EQ(frames.carried_by(5), -1);  // not the older one
}

TEST(Budget, KOfAFilmChangesAtKeyFramesOnly) {
  Frames frames{CarryPolicy({1, false, 100}), {}};
  std::uint64_t ticket = 0;
  given_to_engine(frames, ticket, 1, 90);
  given_to_engine(frames, ticket, 1, 170);   // a mean of 110
  given_to_engine(frames, ticket, 1, 10);    // of 85
  EXPECT_EQ(frames.decide(3), Way::kCarry);  // as was settled at 2
  EXPECT_EQ(frames.carried_by(3), 2);
  EXPECT_EQ(frames.decide(4), Way::kOwn);
  EXPECT_EQ(frames.decide(5), Way::kOwn);
}

TEST(Budget, EachFrameIsExplainedUntilAMapHasBeenTimed) {
  Frames frames{CarryPolicy({1, false, 33}), {}};
  for (const std::uint64_t ticket : {0, 1, 2}) EXPECT_EQ(frames.decide(ticket), Way::kOwn);
  frames.policy.finished(map_that_took(0, 80));
  EXPECT_EQ(frames.decide(3), Way::kOwn);
  EXPECT_EQ(frames.decide(4), Way::kCarry);
}

TEST(Budget, AboveItEveryKthLiveFrameIsExplainedBeside) {
  Frames frames{CarryPolicy({1, true, 33}), {}};
  std::uint64_t ticket = 0;
  EXPECT_EQ(given_to_engine(frames, ticket, 1, 80), 1);
  EXPECT_EQ(frames.decide(ticket), Way::kCarry);  // 80 ms need three frames of 33
  EXPECT_EQ(frames.carried_by(1), 0);
  ++ticket;
  EXPECT_EQ(given_to_engine(frames, ticket, 30, 80), 10);
}

TEST(Budget, ComesBackToEachFrameWhenTheLoadAllows) {
  Frames frames{CarryPolicy({1, true, 33}), {}};
  std::uint64_t ticket = 0;
  given_to_engine(frames, ticket, 30, 80);
  given_to_engine(frames, ticket, 60, 10);
  EXPECT_EQ(given_to_engine(frames, ticket, 20, 10), 20);
  EXPECT_EQ(frames.decide(ticket), Way::kOwn);
}

TEST(Budget, DoesNotFlutterAtItsEdge) {
  Frames frames{CarryPolicy({1, true, 33}), {}};
  std::uint64_t ticket = 0;
  given_to_engine(frames, ticket, 20, 34);  // two
  // Below the budget, but by less than a tenth: still two.
  EXPECT_EQ(given_to_engine(frames, ticket, 20, 32), 10);
}

}  // namespace
}  // namespace gradcam
