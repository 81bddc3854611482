#include "pipeline/map_policy.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

using Decision = MapPolicy::Decision;

MapOutcome map_of(std::int64_t frame) {
  Explanation explanation;
  explanation.frame_seq = frame;
  return {static_cast<std::uint64_t>(frame), std::make_shared<const Explanation>(explanation),
          FrameStatus::kOk, ""};
}

/// Frames of one stream, and what they passed with.
struct Frames {
  MapPolicy policy;
  std::map<std::uint64_t, MapOutcome> passed;

  Decision decide(std::uint64_t ticket) {
    return policy.decide(ticket, [this, ticket](const MapOutcome& map) { passed[ticket] = map; });
  }
  /// The frame whose map this one carries; -1 = it has not passed, -2 = it passed with an error.
  std::int64_t carried_by(std::uint64_t ticket) const {
    const auto found = passed.find(ticket);
    if (found == passed.end()) return -1;
    return found->second.explanation ? found->second.explanation->frame_seq : -2;
  }
};

TEST(MapPolicy, EveryFrameIsExplainedByDefault) {
  Frames frames{MapPolicy({1, true}), {}};
  for (const std::uint64_t ticket : {0, 1, 2}) {
    EXPECT_EQ(frames.decide(ticket), Decision::kExplain);
    frames.policy.finished(map_of(0));
  }
  EXPECT_TRUE(frames.passed.empty());
}

TEST(MapPolicy, FilmFramesCarryTheMapOfTheOneBeforeThemWhoseTurnItWas) {
  Frames frames{MapPolicy({3, false}), {}};
  EXPECT_EQ(frames.decide(0), Decision::kExplain);
  EXPECT_EQ(frames.decide(1), Decision::kCarry);
  EXPECT_EQ(frames.carried_by(1), -1);  // waits for the map of 0
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.carried_by(1), 0);
  EXPECT_EQ(frames.decide(2), Decision::kCarry);
  EXPECT_EQ(frames.carried_by(2), 0);  // it is there already
  EXPECT_EQ(frames.decide(3), Decision::kExplain);
  EXPECT_EQ(frames.decide(4), Decision::kCarry);
  EXPECT_EQ(frames.carried_by(4), -1);  // not the older one
}

TEST(MapPolicy, FilmFramesWaitForTheirOwnKeyFrameAlsoWhenALaterOneIsDone) {
  Frames frames{MapPolicy({2, false}), {}};
  for (const std::uint64_t ticket : {0, 1, 2, 3}) frames.decide(ticket);
  frames.policy.finished(map_of(2));
  EXPECT_EQ(frames.carried_by(1), -1);
  EXPECT_EQ(frames.carried_by(3), 2);
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.carried_by(1), 0);
}

TEST(MapPolicy, FilmFramesFailWithTheErrorOfTheMapTheyWouldCarry) {
  Frames frames{MapPolicy({3, false}), {}};
  frames.decide(0);
  frames.decide(1);
  frames.policy.finished({0, nullptr, FrameStatus::kFailed, "no luck"});
  EXPECT_EQ(frames.passed.at(1).error, "no luck");
  frames.decide(2);
  EXPECT_EQ(frames.passed.at(2).error, "no luck");
  frames.policy.failed_before(3, "no blob");
  EXPECT_EQ(frames.decide(4), Decision::kCarry);
  EXPECT_EQ(frames.passed.at(4).error, "no blob");
}

TEST(MapPolicy, FilmFrameThatFailsAndWouldHaveCarriedIsNoKeyFrame) {
  Frames frames{MapPolicy({3, false}), {}};
  frames.decide(0);
  frames.policy.failed_before(1, "no blob");
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.decide(2), Decision::kCarry);
  EXPECT_EQ(frames.carried_by(2), 0);
  EXPECT_EQ(frames.decide(3), Decision::kExplain);
}

TEST(MapPolicy, LiveFramesWaitForTheirOwnMapUntilThereIsOne) {
  Frames frames{MapPolicy({2, true}), {}};
  EXPECT_EQ(frames.decide(0), Decision::kExplain);
  EXPECT_EQ(frames.decide(1), Decision::kExplain);
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.decide(2), Decision::kCarry);  // the engine still has 1
  EXPECT_EQ(frames.carried_by(2), 0);
}

TEST(MapPolicy, LiveFramesPassAtOnceWithTheNewestMap) {
  Frames frames{MapPolicy({3, true}), {}};
  frames.decide(0);
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.decide(1), Decision::kCarry);
  EXPECT_EQ(frames.decide(2), Decision::kCarry);
  EXPECT_EQ(frames.decide(3), Decision::kCarryAndExplain);  // the third since 0
  EXPECT_EQ(frames.carried_by(3), 0);
  EXPECT_EQ(frames.decide(4), Decision::kCarry);
  frames.policy.finished(map_of(3));
  EXPECT_EQ(frames.decide(5), Decision::kCarry);
  EXPECT_EQ(frames.carried_by(5), 3);
}

TEST(MapPolicy, LiveEngineIsGivenAFrameAsSoonAsItIsIdle) {
  Frames frames{MapPolicy({2, true}), {}};
  frames.decide(0);
  frames.policy.finished(map_of(0));
  EXPECT_EQ(frames.decide(2), Decision::kCarryAndExplain);
  for (const std::uint64_t ticket : {3, 4, 5, 6})
    EXPECT_EQ(frames.decide(ticket), Decision::kCarry);
  frames.policy.finished(map_of(2));
  EXPECT_EQ(frames.decide(7), Decision::kCarryAndExplain);
}

TEST(MapPolicy, LiveMapIsNeverReplacedByAnOlderOne) {
  Frames frames{MapPolicy({2, true}), {}};
  frames.decide(0);
  frames.decide(1);
  frames.policy.finished(map_of(1));
  frames.policy.finished(map_of(0));
  frames.decide(2);
  EXPECT_EQ(frames.carried_by(2), 1);
}

TEST(MapPolicy, LiveFailureIsSeenUntilTheNextMap) {
  Frames frames{MapPolicy({2, true}), {}};
  frames.decide(0);
  frames.policy.finished(map_of(0));
  frames.policy.failed_before(1, "a frame that never came here");
  EXPECT_EQ(frames.decide(2), Decision::kCarryAndExplain);
  EXPECT_EQ(frames.carried_by(2), 0);
  frames.policy.finished({2, nullptr, FrameStatus::kFailed, "no luck"});
  EXPECT_EQ(frames.decide(3),
            Decision::kCarryAndExplain);  // not before its time: 2 came to nothing
  EXPECT_EQ(frames.passed.at(3).error, "no luck");
  EXPECT_EQ(frames.passed.at(3).ticket, 2U);
  EXPECT_EQ(frames.decide(4), Decision::kCarry);
  EXPECT_EQ(frames.passed.at(4).error, "no luck");
  frames.policy.finished(map_of(3));
  frames.decide(5);
  EXPECT_EQ(frames.carried_by(5), 3);
}

MapOutcome map_that_took(std::int64_t frame, double ms) {
  Explanation explanation;
  explanation.frame_seq = frame;
  explanation.explain_ms = ms;
  return {static_cast<std::uint64_t>(frame), std::make_shared<const Explanation>(explanation),
          FrameStatus::kOk, ""};
}

/// Explains `count` frames at `ms` each under the policy, and says how many it gave to the engine.
int given_to_engine(Frames& frames, std::uint64_t& ticket, int count, double ms) {
  int given = 0;
  for (int i = 0; i < count; ++i, ++ticket) {
    if (frames.decide(ticket) == Decision::kCarry) continue;
    ++given;
    frames.policy.finished(map_that_took(static_cast<std::int64_t>(ticket), ms));
  }
  return given;
}

TEST(Budget, WithinItEachFrameWaitsForItsOwnMap) {
  Frames frames{MapPolicy({1, false, 33}), {}};
  for (const std::uint64_t ticket : {0, 1, 2, 3}) {
    EXPECT_EQ(frames.decide(ticket), Decision::kExplain);
    frames.policy.finished(map_that_took(static_cast<std::int64_t>(ticket), 20));
  }
}

TEST(Budget, AboveItExactlyEveryKthFrameOfAFilmIsExplained) {
  Frames frames{MapPolicy({1, false, 33}), {}};
  std::vector<std::uint64_t> own;
  for (std::uint64_t ticket = 0; ticket < 12; ++ticket) {
    if (frames.decide(ticket) != Decision::kExplain) continue;
    own.push_back(ticket);
    frames.policy.finished(map_that_took(static_cast<std::int64_t>(ticket), 80));
  }
  // What a map costs was not known at 0; 80 ms need three frames of 33.
  EXPECT_EQ(own, (std::vector<std::uint64_t>{0, 1, 4, 7, 10}));
  EXPECT_EQ(frames.carried_by(3), 1);
  EXPECT_EQ(frames.carried_by(11), 10);
}

TEST(Budget, AFilmWaitsForTheMapsOfItsKeyFrames) {
  Frames frames{MapPolicy({1, false, 33}), {}};
  std::uint64_t ticket = 0;
  given_to_engine(frames, ticket, 1, 80);
  std::vector<Decision> decisions;
  for (; ticket < 6; ++ticket) decisions.push_back(frames.decide(ticket));
  EXPECT_EQ(decisions,
            (std::vector<Decision>{Decision::kExplain, Decision::kCarry, Decision::kCarry,
                                   Decision::kExplain, Decision::kCarry}));
  EXPECT_EQ(frames.carried_by(2), -1);
  frames.policy.finished(map_that_took(1, 80));
  EXPECT_EQ(frames.carried_by(2), 1);
  EXPECT_EQ(frames.carried_by(3), 1);
  EXPECT_EQ(frames.carried_by(5), -1);  // not the older one
}

TEST(Budget, KOfAFilmChangesAtKeyFramesOnly) {
  Frames frames{MapPolicy({1, false, 100}), {}};
  std::uint64_t ticket = 0;
  given_to_engine(frames, ticket, 1, 90);
  given_to_engine(frames, ticket, 1, 170);        // a mean of 110
  given_to_engine(frames, ticket, 1, 10);         // of 85
  EXPECT_EQ(frames.decide(3), Decision::kCarry);  // as was settled at 2
  EXPECT_EQ(frames.carried_by(3), 2);
  EXPECT_EQ(frames.decide(4), Decision::kExplain);
  EXPECT_EQ(frames.decide(5), Decision::kExplain);
}

TEST(Budget, EachFrameIsExplainedUntilAMapHasBeenTimed) {
  Frames frames{MapPolicy({1, false, 33}), {}};
  for (const std::uint64_t ticket : {0, 1, 2}) EXPECT_EQ(frames.decide(ticket), Decision::kExplain);
  frames.policy.finished(map_that_took(0, 80));
  EXPECT_EQ(frames.decide(3), Decision::kExplain);
  EXPECT_EQ(frames.decide(4), Decision::kCarry);
}

TEST(Budget, AboveItEveryKthLiveFrameIsExplainedBeside) {
  Frames frames{MapPolicy({1, true, 33}), {}};
  std::uint64_t ticket = 0;
  EXPECT_EQ(given_to_engine(frames, ticket, 1, 80), 1);
  EXPECT_EQ(frames.decide(ticket), Decision::kCarry);  // 80 ms need three frames of 33
  EXPECT_EQ(frames.carried_by(1), 0);
  ++ticket;
  EXPECT_EQ(given_to_engine(frames, ticket, 30, 80), 10);
}

TEST(Budget, ComesBackToEachFrameWhenTheLoadAllows) {
  Frames frames{MapPolicy({1, true, 33}), {}};
  std::uint64_t ticket = 0;
  given_to_engine(frames, ticket, 30, 80);
  given_to_engine(frames, ticket, 60, 10);
  EXPECT_EQ(given_to_engine(frames, ticket, 20, 10), 20);
  EXPECT_EQ(frames.decide(ticket), Decision::kExplain);
}

TEST(Budget, DoesNotFlutterAtItsEdge) {
  Frames frames{MapPolicy({1, true, 33}), {}};
  std::uint64_t ticket = 0;
  given_to_engine(frames, ticket, 20, 34);  // two
  // Below the budget, but by less than a tenth: still two.
  EXPECT_EQ(given_to_engine(frames, ticket, 20, 32), 10);
}

}  // namespace
}  // namespace gradcam
