#include <algorithm>
#include <atomic>
#include <latch>
#include <set>
#include <stdexcept>

#include "graph_fixture.h"

namespace gradcam {
namespace {

/// Notes how many frames came together; the first call holds the engine until all frames wait.
class BatchGraph : public Graph {
 protected:
  void record_batches(int waiting) {
    options_.batch = 4;
    frames_in_flight_ = 1 + waiting;
    stages_.preprocess = [this, waiting](const Frame& frame) {
      if (prepared_.fetch_add(1) == waiting) all_prepared_.count_down();
      return Prepared{frame, std::make_shared<const Blob>(), Mapping{}};
    };
    stages_.explain = [this](const Prepared& prepared) {
      fakes::mark_thread();
      if (alone_.empty()) all_prepared_.wait();
      alone_.insert(prepared.frame.seq);
      if (bad_.count(prepared.frame.seq) > 0) throw std::runtime_error("no luck");
      return named(prepared);
    };
    stages_.explain_batch = [this](const std::vector<Prepared>& frames) {
      std::vector<Explanation> explanations;
      for (const Prepared& prepared : frames) {
        if (bad_.count(prepared.frame.seq) > 0) throw std::runtime_error("one of us");
        explanations.push_back(named(prepared));
      }
      sizes_.push_back(frames.size());
      return explanations;
    };
  }

  static Explanation named(const Prepared& prepared) {
    Explanation explanation;
    explanation.method = std::to_string(prepared.frame.seq);
    return explanation;
  }

  std::atomic<int> prepared_{0};
  std::latch all_prepared_{1};
  std::set<std::int64_t> alone_;  ///< these: the inference thread's
  std::set<std::int64_t> bad_;
  std::vector<std::size_t> sizes_;
};

TEST_F(BatchGraph, WaitingFramesAreExplainedTogetherAndKeepTheirOwnMaps) {
  record_batches(4);
  std::vector<std::string> methods;
  add_stream(fakes::frames(5)).output = [&](const Rendered& rendered) {
    methods.push_back(rendered.explained.explanation->method);
  };
  const RunSummary summary = run();
  EXPECT_EQ(sizes_, std::vector<std::size_t>{4});
  EXPECT_EQ(methods, (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(summary.streams[0].explained, 5);
}

TEST_F(BatchGraph, AFrameThatFailsInABatchFailsAlone) {
  record_batches(4);
  bad_ = {2};
  add_stream(fakes::frames(5));
  const RunSummary summary = run();
  EXPECT_EQ(out().failed_numbers(), std::vector<std::int64_t>{2});
  EXPECT_EQ(summary.streams[0].first_failure, "frame 2: explain: no luck");
  EXPECT_TRUE(sizes_.empty());
}

TEST_F(BatchGraph, FramesOfSeveralStreamsShareABatch) {
  record_batches(0);
  std::set<std::pair<int, std::string>> seen;
  std::mutex mutex;
  frames_in_flight_ = 1;
  stages_.preprocess = [this](const Frame& frame) {
    if (prepared_.fetch_add(1) == 4) all_prepared_.count_down();
    return Prepared{frame, std::make_shared<const Blob>(), Mapping{}};
  };
  for (int i = 0; i < 5; ++i) add_stream(fakes::frames(1));
  run(6);
  EXPECT_EQ(sizes_, std::vector<std::size_t>{4});
  EXPECT_EQ(alone_.size(), 1U);
}

}  // namespace
}  // namespace gradcam
