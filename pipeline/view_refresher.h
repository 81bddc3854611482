#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "stages/frame/frame.h"

namespace gradcam {

/// Explains the picture on the screen again after the user has changed what is explained: while a
/// window is paused, or when its source has ended, the graph sends no new frame that would show it.
/// Works on a thread of its own. Of each stream only the newest wish counts.
class ViewRefresher {
 public:
  struct Work {
    /// Must not explain at the same time as the graph's inference thread.
    std::function<Explanation(const Prepared&)> explain;
    std::function<Rendered(const Explained&)> overlay;
    /// Takes the results. There may be several of one wish: see `final`.
    std::function<void(const Rendered&)> answer;
    /// Whether this is what was asked for. While a layer is still being prepared, the one before
    /// explains, and the wish is tried again.
    std::function<bool(const Explanation&)> final;
  };
  explicit ViewRefresher(Work work);
  ~ViewRefresher() = default;
  ViewRefresher(const ViewRefresher&) = delete;
  ViewRefresher& operator=(const ViewRefresher&) = delete;

  /// Explain this view again. Any thread; does not wait.
  void ask(const Rendered& shown);

 private:
  void run(const std::stop_token& stop);
  bool refresh(Prepared prepared);  ///< true: there is no need to try again

  const Work work_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::map<int, Prepared> wishes_;  ///< by stream
  std::jthread thread_;             ///< last: it uses all of the above
};

}  // namespace gradcam
