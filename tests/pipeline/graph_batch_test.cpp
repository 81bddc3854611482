#include <algorithm>
#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "tests/pipeline/graph_fixture.h"

namespace gradcam {
namespace {

/// Sources go on until enough has been seen: that a frame is prepared does not yet mean that it
/// waits for the engine, so which call is the first with a full batch is not for a test to say.
class BatchGraph : public Graph {
 protected:
  using Key = std::pair<int, std::int64_t>;  ///< stream and frame

  BatchGraph() {
    options_.batch = 4;
    frames_in_flight_ = 8;
    stages_.preprocess = [this](const Frame& frame) {
      ++prepared_;
      return Prepared{frame, std::make_shared<const Blob>(), Mapping{}};
    };
    stages_.explain = [this](const std::vector<Prepared>& frames) {
      fakes::mark_thread();
      return frames.size() == 1 ? std::vector{explain_alone(frames[0])} : explain_together(frames);
    };
  }

  /// A source that ends when enough has been seen, or after many frames.
  fakes::FakeSource::Script until_enough() {
    return [this](std::int64_t call) -> Capture {
      constexpr std::int64_t kMost = 5000;
      if (call >= kMost) enough_ = true;
      if (enough_) return EndOfStream{};
      return fakes::picture(call);
    };
  }

  /// The output checks that each frame has its own map.
  void add_checked_stream() {
    Stream& stream = add_stream(until_enough());
    places_ += static_cast<std::size_t>(frames_in_flight_);
    stream.output = [this, record = stream.output](const Rendered& rendered) {
      const Frame& frame = rendered.frame();
      if (!frame.failed()) {
        EXPECT_EQ(rendered.explained.explanation->method, name_of({frame.stream, frame.seq}));
      }
      record(rendered);
      ++written_;
    };
  }

  static Key key_of(const Prepared& p) { return {p.frame.stream, p.frame.seq}; }
  static std::string name_of(const Key& key) {
    return std::to_string(key.first) + ":" + std::to_string(key.second);
  }
  static Explanation named(const Prepared& prepared) {
    Explanation explanation;
    explanation.method = name_of(key_of(prepared));
    return explanation;
  }
  bool is_bad(const Prepared& p) const { return bad_every_ > 0 && p.frame.seq % bad_every_ == 3; }

  std::atomic<bool> enough_{false};
  std::atomic<std::size_t> prepared_{0};
  std::int64_t bad_every_ = 0;  ///< frames 3, 3 + n … cannot be explained
  std::set<Key> tried_;         ///< these: the inference thread's
  std::set<std::size_t> sizes_;
  std::size_t most_streams_ = 0;
  int batches_ = 0;
  int broken_ = 0;  ///< of those, with a bad frame
  std::function<bool()> seen_ = [] { return false; };

 private:
  Explanation explain_alone(const Prepared& prepared) {
    if (tried_.insert(key_of(prepared)).second) wait_for_others();
    if (is_bad(prepared)) throw std::runtime_error("no luck");
    return named(prepared);
  }

  std::vector<Explanation> explain_together(const std::vector<Prepared>& frames) {
    ++batches_;
    for (const Prepared& prepared : frames) tried_.insert(key_of(prepared));
    if (std::any_of(frames.begin(), frames.end(), [&](const auto& p) { return is_bad(p); })) {
      ++broken_;
      throw std::runtime_error("one of us");
    }
    sizes_.insert(frames.size());
    std::set<int> streams;
    std::vector<Explanation> explanations;
    for (const Prepared& prepared : frames) {
      streams.insert(prepared.frame.stream);
      explanations.push_back(named(prepared));
    }
    most_streams_ = std::max(most_streams_, streams.size());
    return explanations;
  }

  /// Until more than a batch is prepared, so that a full one soon waits; or all that can be: frames
  /// that overtook this one hold their places until it is out.
  void wait_for_others() {
    if (seen_()) enough_ = true;
    const auto missing = [this] {
      const std::size_t held = tried_.size() - written_;
      return prepared_ - tried_.size() < std::min<std::size_t>(5, places_ - held);
    };
    while (!enough_ && missing()) std::this_thread::yield();
  }

  std::atomic<std::size_t> written_{0};
  std::size_t places_ = 0;  ///< frames in flight, of all streams
};

TEST_F(BatchGraph, WaitingFramesAreExplainedTogetherAndKeepTheirOwnMaps) {
  seen_ = [this] { return !sizes_.empty(); };
  add_checked_stream();
  const RunSummary summary = run();
  EXPECT_EQ(sizes_, std::set<std::size_t>{4});
  EXPECT_EQ(summary.batches, batches_);
  EXPECT_EQ(summary.streams[0].explained, summary.streams[0].captured);
  EXPECT_EQ(out().numbers(), count_up(summary.streams[0].captured));
}

TEST_F(BatchGraph, AFilmHasThePlacesForABatchOnOneCore) {
  frames_in_flight_ = film_frames_in_flight(1, options_.batch, 1);
  seen_ = [this] { return !sizes_.empty(); };
  add_checked_stream();
  const RunSummary summary = run();
  EXPECT_GT(summary.batches, 0);
}

TEST(FilmFramesInFlight, AreForCoresAndEngineAndOneThatWaits) {
  EXPECT_EQ(film_frames_in_flight(2, 1, 1), 4);
  EXPECT_EQ(film_frames_in_flight(16, 1, 3), 18);
}

TEST(FilmFramesInFlight, StreamsShareTwoBatches) {
  EXPECT_EQ(film_frames_in_flight(2, 4, 1), 10);
  EXPECT_EQ(film_frames_in_flight(2, 4, 3), 5);
  EXPECT_EQ(film_frames_in_flight(2, 4, 8), 4);
}

TEST_F(BatchGraph, AFrameThatFailsInABatchFailsAlone) {
  bad_every_ = 7;
  seen_ = [this] { return broken_ > 0 && !sizes_.empty(); };
  add_checked_stream();
  const RunSummary summary = run();
  EXPECT_GT(broken_, 0);
  EXPECT_EQ(sizes_, std::set<std::size_t>{4});
  std::vector<std::int64_t> bad;
  for (const std::int64_t seq : out().numbers()) {
    if (seq % 7 == 3) bad.push_back(seq);
  }
  EXPECT_EQ(out().failed_numbers(), bad);
  EXPECT_EQ(summary.streams[0].first_failure, "frame 3: explain: no luck");
}

TEST_F(BatchGraph, FramesOfSeveralStreamsShareABatch) {
  frames_in_flight_ = 2;
  seen_ = [this] { return most_streams_ > 1; };
  for (int i = 0; i < 5; ++i) add_checked_stream();
  run(6);
  EXPECT_EQ(sizes_, std::set<std::size_t>{4});
  EXPECT_GT(most_streams_, 1U);
}

}  // namespace
}  // namespace gradcam
