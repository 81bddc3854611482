#include "pipeline/inference_thread.h"

#include <exception>
#include <utility>

namespace gradcam {

InferenceThread::InferenceThread(int streams, Work start)
    : waiting_(static_cast<std::size_t>(streams)),
      thread_([this, start = std::move(start)](const std::stop_token& stop) { run(stop, start); }) {
}

void InferenceThread::submit(int stream, std::uint64_t ticket, Work work) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.at(static_cast<std::size_t>(stream)).emplace(ticket, std::move(work));
    ++count_;
  }
  submitted_.notify_one();
}

void InferenceThread::run(const std::stop_token& stop, const Work& start) {
  try {
    if (start) start();
    started_.set_value();
  } catch (...) {
    started_.set_exception(std::current_exception());
    return;
  }
  while (const std::optional<Work> work = take(stop)) (*work)();
}

std::optional<InferenceThread::Work> InferenceThread::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!submitted_.wait(lock, stop, [this] { return count_ > 0; })) return std::nullopt;
  while (waiting_[turn_].empty()) turn_ = (turn_ + 1) % waiting_.size();
  auto earliest = waiting_[turn_].extract(waiting_[turn_].begin());
  --count_;
  turn_ = (turn_ + 1) % waiting_.size();
  return std::move(earliest.mapped());
}

}  // namespace gradcam
