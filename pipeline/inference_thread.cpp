#include "pipeline/inference_thread.h"

#include <exception>
#include <utility>

namespace gradcam {

InferenceThread::InferenceThread(int streams, int batch, std::function<void()> start,
                                 Explain explain)
    : batch_(static_cast<std::size_t>(batch)),
      explain_(std::move(explain)),
      waiting_(static_cast<std::size_t>(streams)),
      thread_([this, start = std::move(start)](const std::stop_token& stop) { run(stop, start); }) {
}

void InferenceThread::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    const Frame& frame = job.prepared.frame;
    auto& stream = waiting_.at(static_cast<std::size_t>(frame.stream));
    stream.emplace(frame.ticket, std::move(job));
    ++count_;
  }
  submitted_.notify_one();
}

void InferenceThread::run(const std::stop_token& stop, const std::function<void()>& start) {
  try {
    if (start) start();
    started_.set_value();
  } catch (...) {
    started_.set_exception(std::current_exception());
    return;
  }
  while (true) {
    std::vector<Job> jobs = take(stop);
    if (jobs.empty()) return;
    std::vector<Prepared> prepared;
    prepared.reserve(jobs.size());
    for (Job& job : jobs) prepared.push_back(std::move(job.prepared));
    const std::vector<Explained> explained = explain_(std::move(prepared));
    for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].done(explained.at(i));
  }
}

/// A batch if so many wait, else one; none at the end.
std::vector<InferenceThread::Job> InferenceThread::take(const std::stop_token& stop) {
  std::vector<Job> jobs;
  std::unique_lock lock(mutex_);
  if (!submitted_.wait(lock, stop, [this] { return count_ > 0; })) return jobs;
  const std::size_t wanted = count_ >= batch_ ? batch_ : 1;
  while (jobs.size() < wanted) {
    while (waiting_[turn_].empty()) turn_ = (turn_ + 1) % waiting_.size();
    auto earliest = waiting_[turn_].extract(waiting_[turn_].begin());
    jobs.push_back(std::move(earliest.mapped()));
    --count_;
    turn_ = (turn_ + 1) % waiting_.size();
  }
  return jobs;
}

}  // namespace gradcam
