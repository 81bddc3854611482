#include "stages/capture/paced_source.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

namespace gradcam {

using std::chrono::steady_clock;

void Playback::set_paused(bool paused) {
  {
    const std::lock_guard lock(mutex_);
    paused_ = paused;
    steps_ = 0;
  }
  changed_.notify_all();
}

void Playback::step() {
  {
    const std::lock_guard lock(mutex_);
    ++steps_;
  }
  changed_.notify_all();
}

bool Playback::may_go_on(steady_clock::time_point limit, bool& resumed) {
  std::unique_lock lock(mutex_);
  if (!paused_) return true;
  resumed = true;
  changed_.wait_until(lock, limit, [this] { return !paused_ || steps_ > 0; });
  if (!paused_) return true;
  if (steps_ == 0) return false;
  --steps_;
  return true;
}

class PacedSource : public Source {
 public:
  PacedSource(std::unique_ptr<Source> source, std::shared_ptr<Playback> playback, Now now)
      : source_(std::move(source)), playback_(std::move(playback)), now_(std::move(now)) {}

  const SourceInfo& info() const override { return source_->info(); }

  Capture next(std::chrono::milliseconds timeout) override {
    const auto limit = steady_clock::now() + timeout;
    if (!playback_->may_go_on(limit, restart_)) return NotYet{};
    if (!due_picture_) {
      Capture next = source_->next(timeout);
      auto* const picture = std::get_if<Captured>(&next);
      if (picture == nullptr) return next;
      due_picture_ = std::move(*picture);
    }
    const auto due = due_time(due_picture_->pts);
    // At most until the limit by the real clock, however the other one goes.
    std::this_thread::sleep_for(std::min(due - now_(), limit - steady_clock::now()));
    if (now_() < due) return NotYet{};
    return *std::exchange(due_picture_, std::nullopt);
  }

 private:
  static constexpr std::chrono::milliseconds kLate{200};

  steady_clock::time_point due_time(std::chrono::nanoseconds pts) {
    const auto now = now_();
    const auto due = begin_ + std::chrono::duration_cast<steady_clock::duration>(pts);
    if (!std::exchange(restart_, false) && now - due <= kLate) return due;
    begin_ = now - std::chrono::duration_cast<steady_clock::duration>(pts);
    return now;
  }

  const std::unique_ptr<Source> source_;
  const std::shared_ptr<Playback> playback_;
  const Now now_;
  std::optional<Captured> due_picture_;
  steady_clock::time_point begin_;  ///< when presentation time 0 is due
  bool restart_ = true;             ///< the next picture is due now
};

std::unique_ptr<Source> paced(std::unique_ptr<Source> source, std::shared_ptr<Playback> playback,
                              Now now) {
  return std::make_unique<PacedSource>(std::move(source), std::move(playback), std::move(now));
}

}  // namespace gradcam
