#include "pipeline/view_refresher.h"

#include <utility>

#include "pipeline/guarded_stages.h"

namespace gradcam {
namespace {

constexpr std::chrono::milliseconds kRetry{50};
constexpr std::chrono::seconds kPatience{30};  ///< for a layer to be prepared

}  // namespace

Reexplainer::Reexplainer(Work work)
    : work_(std::move(work)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Reexplainer::ask(const Rendered& shown) {
  if (!shown.explained.prepared.blob) return;  // a failed frame stays one
  {
    const std::lock_guard lock(mutex_);
    wishes_[shown.frame().stream] = shown.explained.prepared;
  }
  asked_.notify_one();
}

void Reexplainer::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (asked_.wait(lock, stop, [this] { return !wishes_.empty(); })) {
    const Prepared prepared = std::move(wishes_.extract(wishes_.begin()).mapped());
    const int stream = prepared.frame.stream;
    const auto limit = Clock::now() + kPatience;
    const auto newer = [&] { return wishes_.count(stream) > 0; };
    bool final = false;
    do {
      lock.unlock();
      final = explain(prepared);
      lock.lock();
    } while (!final && Clock::now() < limit && !asked_.wait_for(lock, stop, kRetry, newer) &&
             !stop.stop_requested());
  }
}

bool Reexplainer::explain(Prepared prepared) {
  prepared.frame.error.clear();  // a frame whose explanation failed gets another try
  Stages stages;
  stages.explain = work_.explain;
  stages.overlay = work_.overlay;
  const Rendered rendered = overlay_one(stages, explain_one(stages, std::move(prepared)));
  work_.answer(rendered);
  return !rendered.explained.explanation || work_.final(*rendered.explained.explanation);
}

}  // namespace gradcam
