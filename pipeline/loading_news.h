#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "stages/explain/engines/engine_trial.h"

namespace gradcam {

/// Tells what the program is at while a network is loaded: that it is, once that has taken `late`,
/// and at once what the loading itself tells. One line each; from this thread or from its own.
class LoadingNews {
 public:
  using Tell = std::function<void(const std::string&)>;

  LoadingNews(const std::string& model, Tell tell, std::stop_token stop,
              std::chrono::milliseconds late = std::chrono::milliseconds(400));
  /// The network is loaded, or cannot be.
  ~LoadingNews();

  /// What the loading is to be given. Valid as long as this object.
  Waiting waiting();

 private:
  void say(const std::string& line);

  const Tell tell_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  bool said_ = false;  ///< a line, any
  std::jthread late_;  ///< last: it uses the others
};

}  // namespace gradcam
