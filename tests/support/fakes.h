#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/graph.h"

/// Stand-ins for sources, stages and outputs, for tests of what lies between them.
namespace gradcam::fakes {

/// Counts how many of something are alive.
class Alive {
 public:
  explicit Alive(std::atomic<int>& count) : count_(count) { ++count_; }
  ~Alive() { --count_; }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;

 private:
  std::atomic<int>& count_;
};

inline std::atomic<int> sources_alive{0};
inline std::atomic<int> threads_alive{0};

/// Counts the calling thread until it ends. For threads that the graph makes itself, not TBB's.
inline void mark_thread() { static thread_local Alive mark(threads_alive); }

/// Numbers that have come by; wait_for() holds its thread until one has.
class Passed {
 public:
  void add(std::uint64_t number) {
    {
      const std::lock_guard lock(mutex_);
      passed_.insert(number);
    }
    changed_.notify_all();
  }
  void wait_for(std::uint64_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return passed_.count(number) > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::uint64_t> passed_;
};

inline Captured picture(std::int64_t number) {
  return {Picture(cv::Mat(2, 3, CV_8UC3, cv::Scalar::all(static_cast<double>(number % 251)))),
          std::chrono::milliseconds(40 * number), std::chrono::milliseconds(40)};
}

/// Gives what `script` says for the 1st, 2nd, … call (from 0), which may throw.
class FakeSource : public Source {
 public:
  using Script = std::function<Capture(std::int64_t call)>;
  FakeSource(std::string name, Script script) : script_(std::move(script)) {
    info_.name = std::move(name);
  }
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds) override {
    mark_thread();
    return script_(call_++);
  }

 private:
  SourceInfo info_;
  Script script_;
  std::int64_t call_ = 0;
  Alive alive_{sources_alive};
};

inline FakeSource::Script frames(std::int64_t count) {
  return [count](std::int64_t call) -> Capture {
    if (call < count) return picture(call);
    return EndOfStream{};
  };
}

inline FakeSource::Script endless() {
  return [](std::int64_t call) -> Capture { return picture(call); };
}

/// `count` pictures, but what call `n` gives only when `turn` has `n`.
inline FakeSource::Script on_cue(std::int64_t count, Passed& turn) {
  return [count, &turn](std::int64_t call) -> Capture {
    turn.wait_for(static_cast<std::uint64_t>(call));
    if (call < count) return picture(call);
    return EndOfStream{};
  };
}

/// What came out of one stream.
struct Recording {
  std::vector<Frame> frames;
  std::vector<bool> has_picture;
  int finished = 0;

  std::vector<std::int64_t> numbers() const {
    std::vector<std::int64_t> result;
    for (const Frame& frame : frames) result.push_back(frame.seq);
    return result;
  }
  std::vector<std::int64_t> failed_numbers() const {
    std::vector<std::int64_t> result;
    for (const Frame& frame : frames) {
      if (frame.failed()) result.push_back(frame.seq);
    }
    return result;
  }
};

/// The stage explain out of a function that explains one frame.
template <class ExplainOne>
auto one_by_one(ExplainOne explain_one) {
  return [explain_one](const std::vector<Prepared>& frames) {
    std::vector<Explanation> explanations;
    for (const Prepared& prepared : frames) explanations.push_back(explain_one(prepared));
    return explanations;
  };
}

/// Stages that do nothing to speak of; a test replaces what it is about.
inline Stages plain_stages() {
  Stages stages;
  stages.preprocess = [](const Frame& frame) {
    return Prepared{frame, std::make_shared<const Blob>(), Mapping{}};
  };
  stages.explain = one_by_one([](const Prepared&) {
    mark_thread();
    return Explanation{};
  });
  stages.overlay = [](const Explained& explained) {
    Rendered rendered;
    rendered.picture = explained.frame().image;
    return rendered;
  };
  return stages;
}

/// Runs `body` in a TBB arena of `threads`, however few cores there are.
template <typename Body>
auto in_arena(int threads, Body body) {
  namespace tbb = oneapi::tbb;
  const tbb::global_control control(tbb::global_control::max_allowed_parallelism,
                                    static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads);
  return arena.execute(body);
}

}  // namespace gradcam::fakes
