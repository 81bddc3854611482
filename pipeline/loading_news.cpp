#include "pipeline/loading_news.h"

#include <utility>

namespace gradcam {

LoadingNews::LoadingNews(const std::string& model, Tell tell, std::stop_token stop,
                         std::chrono::milliseconds late)
    : tell_(std::move(tell)),
      stop_(std::move(stop)),
      late_([this, late, line = "loading model '" + model + "'"](const std::stop_token& end) {
        std::unique_lock lock(mutex_);
        ended_.wait_for(lock, end, late, [this] { return said_; });
        if (!said_ && !end.stop_requested()) tell_(line);
      }) {}

LoadingNews::~LoadingNews() = default;

void LoadingNews::say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  said_ = true;
  tell_(line);
  ended_.notify_all();
}

Waiting LoadingNews::waiting() {
  return {[this](const std::string& line) { say(line); }, stop_};
}

}  // namespace gradcam
