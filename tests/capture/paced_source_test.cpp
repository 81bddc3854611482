#include "stages/capture/paced_source.h"

#include <gtest/gtest.h>

#include "stages/capture/edited_source.h"
#include "stages/capture/pattern_source.h"

namespace gradcam {
namespace {

using std::chrono::milliseconds;

/// The test pattern at 25 frames/s on a clock that stands still until it is moved.
class Paced : public testing::Test {
 protected:
  /// The presentation time in ms of what comes now, or -1 for nothing yet.
  std::int64_t next() {
    const Capture next = source_->next(milliseconds(0));
    const auto* const picture = std::get_if<Captured>(&next);
    return picture == nullptr ? -1 : std::chrono::duration_cast<milliseconds>(picture->pts).count();
  }
  void pass(int ms) { now_ += milliseconds(ms); }

  std::chrono::steady_clock::time_point now_{std::chrono::hours(5)};
  std::shared_ptr<Playback> playback_ = std::make_shared<Playback>();
  std::unique_ptr<Source> source_ =
      paced(std::make_unique<PatternSource>(PatternFormat{16, 16, 25}), playback_,
            [this] { return now_; });
};

TEST_F(Paced, PicturesComeWhenTheyAreDue) {
  EXPECT_EQ(next(), 0);
  EXPECT_EQ(next(), -1);
  pass(39);
  EXPECT_EQ(next(), -1);
  pass(1);
  EXPECT_EQ(next(), 40);
  pass(80);
  EXPECT_EQ(next(), 80);
  EXPECT_EQ(next(), 120);
  EXPECT_EQ(next(), -1);
}

TEST_F(Paced, ALateReaderIsNotHurried) {
  EXPECT_EQ(next(), 0);
  pass(1000);
  EXPECT_EQ(next(), 40);
  EXPECT_EQ(next(), -1);  // not 80, 120, ... at once
  pass(40);
  EXPECT_EQ(next(), 80);
}

TEST_F(Paced, PauseHoldsItUpAndGoesOnFromThere) {
  EXPECT_EQ(next(), 0);
  playback_->set_paused(true);
  pass(500);
  EXPECT_EQ(next(), -1);
  playback_->set_paused(false);
  EXPECT_EQ(next(), 40);
  EXPECT_EQ(next(), -1);
  pass(40);
  EXPECT_EQ(next(), 80);
}

TEST_F(Paced, AStepIsOnePicture) {
  EXPECT_EQ(next(), 0);
  playback_->set_paused(true);
  playback_->step();
  EXPECT_EQ(next(), 40);
  pass(1000);
  EXPECT_EQ(next(), -1);
}

std::vector<std::int64_t> times(Source& source, int calls) {
  std::vector<std::int64_t> result;
  for (int i = 0; i < calls; ++i) {
    const Capture next = source.next(milliseconds(0));
    if (const auto* const picture = std::get_if<Captured>(&next)) {
      result.push_back(std::chrono::duration_cast<milliseconds>(picture->pts).count());
    }
  }
  return result;
}

TEST(Thinned, KeepsTheRateItIsGiven) {
  const auto source = thinned(std::make_unique<PatternSource>(PatternFormat{16, 16, 25}), 10);
  EXPECT_EQ(source->info().frames_per_second, 10);
  // Every 40 ms a picture: the first at or after 0, 100, 200 ...
  EXPECT_EQ(times(*source, 13), (std::vector<std::int64_t>{0, 120, 200, 320, 400}));
}

TEST(Thinned, SlowerSourcesStayAsTheyAre) {
  const auto source = thinned(std::make_unique<PatternSource>(PatternFormat{16, 16, 25}), 60);
  EXPECT_EQ(source->info().frames_per_second, 25);
  EXPECT_EQ(times(*source, 4), (std::vector<std::int64_t>{0, 40, 80, 120}));
}

TEST(Bounded, EndsAfterTheTimeOfItsPictures) {
  const auto source = bounded(std::make_unique<PatternSource>(PatternFormat{16, 16, 25}), 0.2);
  EXPECT_EQ(times(*source, 13), (std::vector<std::int64_t>{0, 40, 80, 120, 160}));
}

/// Three pictures from 200 ms on, then the end.
class Short : public Source {
 public:
  explicit Short(int pictures) : pictures_(pictures) {
    info_.frames = pictures;
    info_.frames_per_second = 10;
  }
  const SourceInfo& info() const override { return info_; }
  Capture next(milliseconds) override {
    if (given_ == pictures_) return EndOfStream{};
    return Captured{Picture(cv::Mat(2, 2, CV_8UC3)), milliseconds(200 + 100 * given_++),
                    milliseconds(100)};
  }

 private:
  SourceInfo info_;
  int pictures_;
  int given_ = 0;
};

TEST(Looped, BeginsAgainWithTimesThatGoOn) {
  int opened = 0;
  const auto source = looped([&] {
    ++opened;
    return std::make_unique<Short>(3);
  });
  EXPECT_FALSE(source->info().frames);
  EXPECT_EQ(times(*source, 9), (std::vector<std::int64_t>{0, 100, 200, 300, 400, 500, 600}));
  EXPECT_EQ(opened, 3);
}

TEST(Bounded, CountsFromTheFirstPictureAndClaimsNoMore) {
  const auto source = bounded(std::make_unique<Short>(3), 0.2);
  EXPECT_EQ(source->info().frames, 2);
  EXPECT_EQ(times(*source, 9), (std::vector<std::int64_t>{200, 300}));
}

/// One picture, and then no other for ever.
class Silent : public Source {
 public:
  explicit Silent(bool live) { info_.live = live; }
  const SourceInfo& info() const override { return info_; }
  Capture next(milliseconds) override {
    if (std::exchange(given_, true)) return NotYet{};
    return Captured{Picture(cv::Mat(2, 2, CV_8UC3)), milliseconds(0), milliseconds(0)};
  }

 private:
  SourceInfo info_;
  bool given_ = false;
};

TEST(Bounded, LiveEndsByTheClockHoweverLateTheNextPictureIs) {
  for (const bool live : {true, false}) {
    Clock::time_point now{std::chrono::hours(1)};
    const auto source = bounded(std::make_unique<Silent>(live), 2, [&] { return now; });
    EXPECT_TRUE(std::holds_alternative<Captured>(source->next(milliseconds(0))));
    now += milliseconds(1999);
    EXPECT_TRUE(std::holds_alternative<NotYet>(source->next(milliseconds(0))));
    now += milliseconds(1);
    EXPECT_EQ(std::holds_alternative<EndOfStream>(source->next(milliseconds(0))), live);
  }
}

TEST(Looped, NothingIsNotRepeated) {
  const auto source = looped([] { return std::make_unique<Short>(0); });
  EXPECT_TRUE(std::holds_alternative<EndOfStream>(source->next(milliseconds(0))));
}

}  // namespace
}  // namespace gradcam
