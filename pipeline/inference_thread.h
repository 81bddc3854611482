#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "stages/frame/frame.h"

namespace gradcam {

/// The one thread that calls the inference engine: a second one would bring up a second OpenMP team
/// that fights the first. Streams are served in turn, and within a stream the earliest frame first.
/// Its queue has no limit of its own: the Gates bound what can be waiting. Frames are explained
/// together only if a full batch of them waits. Nobody waits for a batch to fill.
class InferenceThread {
 public:
  struct Job {
    Prepared prepared;  ///< its frame's stream and ticket say whose turn it is
    std::function<void(const Explained&)> done;  ///< must not throw
  };
  /// One result per frame, in their order. Must not throw.
  using Explain = std::function<std::vector<Explained>(std::vector<Prepared>)>;

  /// `batch` >= 1: frames that are explained together. `start` (may be empty) runs first on the new
  /// thread, e.g. to warm the engine up.
  InferenceThread(int streams, int batch, std::function<void()> start, Explain explain);
  /// Explains what is still waiting, then ends the thread.
  ~InferenceThread() = default;
  InferenceThread(const InferenceThread&) = delete;
  InferenceThread& operator=(const InferenceThread&) = delete;

  /// Waits until `start` has returned; throws what it threw, and the thread has then ended. Once.
  void wait_until_started() { started_.get_future().get(); }

  /// Any thread, after wait_until_started().
  void submit(Job job);

 private:
  void run(const std::stop_token& stop, const std::function<void()>& start);
  std::vector<Job> take(const std::stop_token& stop);

  const std::size_t batch_;
  const Explain explain_;
  std::mutex mutex_;
  std::condition_variable_any submitted_;
  std::vector<std::map<std::uint64_t, Job>> waiting_;  ///< per stream, by ticket
  std::size_t count_ = 0;                              ///< of all streams
  std::size_t turn_ = 0;                               ///< the stream that is asked first
  std::promise<void> started_;
  std::jthread thread_;  ///< last: it uses all of the above
};

}  // namespace gradcam
