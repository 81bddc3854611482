#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "stages/frame/frame.h"

namespace gradcam {

/// Explains a view that stands on the screen anew, after a change of what is explained: the graph
/// sends no new frame while a window is paused or when the source has ended. On a thread of its
/// own, one view of each stream at a time, the newest wish first.
class Reexplainer {
 public:
  struct Work {
    /// Must wait its turn with the inference thread of the graph.
    std::function<Explanation(const Prepared&)> explain;
    std::function<Rendered(const Explained&)> overlay;
    /// Where results go. A wish may be answered more than once, each time nearer to what was asked.
    std::function<void(const Rendered&)> answer;
    /// This is what was asked for: a layer that is still being prepared gives the old one first.
    std::function<bool(const Explanation&)> final;
  };
  explicit Reexplainer(Work work);
  ~Reexplainer() = default;
  Reexplainer(const Reexplainer&) = delete;
  Reexplainer& operator=(const Reexplainer&) = delete;

  /// Any thread.
  void ask(const Rendered& shown);

 private:
  void run(const std::stop_token& stop);
  bool explain(Prepared prepared);

  const Work work_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::map<int, Prepared> wishes_;  ///< by stream
  std::jthread thread_;             ///< last: it uses all of the above
};

}  // namespace gradcam
