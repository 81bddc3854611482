#include "pipeline/view_refresher.h"

#include <utility>

#include "pipeline/guarded_stages.h"

namespace gradcam {
namespace {

constexpr std::chrono::milliseconds kRetry{50};
constexpr std::chrono::seconds kPatience{30};  ///< for a layer to be prepared

}  // namespace

ViewRefresher::ViewRefresher(Work work)
    : work_(std::move(work)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void ViewRefresher::ask(const Rendered& shown) {
  if (!shown.explained.prepared.blob) return;  // a failed frame stays one
  {
    const std::lock_guard lock(mutex_);
    wishes_[shown.frame().stream] = shown.explained.prepared;
  }
  asked_.notify_one();
}

void ViewRefresher::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (asked_.wait(lock, stop, [this] { return !wishes_.empty(); })) {
    const Prepared prepared = std::move(wishes_.extract(wishes_.begin()).mapped());
    const int stream = prepared.frame.stream;
    const auto limit = Clock::now() + kPatience;
    const auto newer = [&] { return wishes_.count(stream) > 0; };
    bool final = false;
    do {
      lock.unlock();
      final = refresh(prepared);
      lock.lock();
    } while (!final && Clock::now() < limit && !asked_.wait_for(lock, stop, kRetry, newer) &&
             !stop.stop_requested());
  }
}

bool ViewRefresher::refresh(Prepared prepared) {
  prepared.frame.status = FrameStatus::kOk;  // a frame whose explanation failed gets another try
  prepared.frame.error.clear();
  Stages stages;
  stages.explain = [this](const std::vector<Prepared>& frames) {
    return std::vector{work_.explain(frames.at(0))};
  };
  stages.overlay = work_.overlay;
  const Rendered rendered = guarded_overlay(stages, guarded_explain(stages, {prepared}).at(0));
  work_.answer(rendered);
  return !rendered.explained.explanation || work_.final(*rendered.explained.explanation);
}

}  // namespace gradcam
