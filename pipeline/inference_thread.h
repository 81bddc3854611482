#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace gradcam {

/// The one thread that calls the inference engine: a second one would bring up a second OpenMP team
/// that fights the first. Streams are served in turn, and within a stream the earliest frame first.
/// It queues without a limit: the Gates bound what can be waiting.
class InferenceThread {
 public:
  using Work = std::function<void()>;

  /// `start` (may be empty) runs first on the new thread, e.g. to warm the engine up.
  InferenceThread(int streams, Work start);
  /// Does what is still waiting, then ends the thread.
  ~InferenceThread() = default;
  InferenceThread(const InferenceThread&) = delete;
  InferenceThread& operator=(const InferenceThread&) = delete;

  /// Waits until `start` has returned; throws what it threw, and the thread has then ended. Once.
  void wait_until_started() { started_.get_future().get(); }

  /// Queues `work`, which must not throw. Any thread, after wait_until_started().
  void submit(int stream, std::uint64_t ticket, Work work);

 private:
  void run(const std::stop_token& stop, const Work& start);
  std::optional<Work> take(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any submitted_;
  std::vector<std::map<std::uint64_t, Work>> waiting_;  ///< per stream, by ticket
  std::size_t count_ = 0;                               ///< of all streams
  std::size_t turn_ = 0;                                ///< the stream that is asked first
  std::promise<void> started_;
  std::jthread thread_;  ///< last: it uses all of the above
};

}  // namespace gradcam
