#include "stages/capture/edited_source.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "stages/capture/formats/stream_time.h"

namespace gradcam {
namespace {

using std::chrono::nanoseconds;

class ThinnedSource : public Source {
 public:
  ThinnedSource(std::unique_ptr<Source> source, double frames_per_second)
      : source_(std::move(source)), period_(frame_duration(frames_per_second)) {
    info_ = source_->info();
    if (info_.frames_per_second <= frames_per_second) return;
    if (info_.frames) {
      const double share = frames_per_second / info_.frames_per_second;
      info_.frames = std::llround(static_cast<double>(*info_.frames) * share);
    }
    info_.frames_per_second = frames_per_second;
  }

  const SourceInfo& info() const override { return info_; }

  Capture next(std::chrono::milliseconds timeout) override {
    Capture next = source_->next(timeout);
    const auto* const picture = std::get_if<Captured>(&next);
    if (picture == nullptr) return next;
    // Time stamps are rounded: one that is early by less than a hundredth of a period is due.
    if (due_ && picture->pts < *due_ - period_ / 100) return NotYet{};
    // The rate is kept in the long run, but a gap is not made up for.
    due_ = due_ && picture->pts < *due_ + period_ ? *due_ + period_ : picture->pts + period_;
    return next;
  }

 private:
  const std::unique_ptr<Source> source_;
  const nanoseconds period_;
  SourceInfo info_;
  std::optional<nanoseconds> due_;
};

class BoundedSource : public Source {
 public:
  BoundedSource(std::unique_ptr<Source> source, double seconds, Now now)
      : source_(std::move(source)),
        length_(seconds_to_ns(seconds)),
        info_(source_->info()),
        now_(std::move(now)) {
    if (info_.duration) info_.duration = std::min(*info_.duration, length_);
    if (info_.frames && info_.frames_per_second > 0) {
      info_.frames =
          std::min<std::int64_t>(*info_.frames, std::llround(seconds * info_.frames_per_second));
    }
  }

  const SourceInfo& info() const override { return info_; }

  Capture next(std::chrono::milliseconds timeout) override {
    Capture next = source_->next(timeout);
    const auto* const picture = std::get_if<Captured>(&next);
    if (picture == nullptr) {
      const bool over = info_.live && begin_ && now_() - begun_at_ >= length_;
      if (over && std::holds_alternative<NotYet>(next)) return EndOfStream{};
      return next;
    }
    if (!begin_) {
      begin_ = picture->pts;
      begun_at_ = now_();
    }
    if (picture->pts >= *begin_ + length_) return EndOfStream{};
    return next;
  }

 private:
  const std::unique_ptr<Source> source_;
  const nanoseconds length_;
  SourceInfo info_;
  const Now now_;
  std::optional<nanoseconds> begin_;  ///< presentation time of the first picture
  Clock::time_point begun_at_;        ///< when it came
};

class LoopedSource : public Source {
 public:
  explicit LoopedSource(std::function<std::unique_ptr<Source>()> open)
      : open_(std::move(open)), source_(open_()), info_(source_->info()) {
    info_.frames.reset();
    info_.duration.reset();
    info_.still = false;
  }

  const SourceInfo& info() const override { return info_; }

  Capture next(std::chrono::milliseconds timeout) override {
    Capture next = source_->next(timeout);
    if (const auto* const end = std::get_if<EndOfStream>(&next)) {
      if (!any_ || !end->cut_short.empty()) return next;
      source_ = open_();
      begin_ = end_;
      any_ = false;
      return NotYet{};
    }
    auto* const picture = std::get_if<Captured>(&next);
    if (picture == nullptr) return next;
    if (!any_) offset_ = begin_ - picture->pts;
    any_ = true;
    picture->pts += offset_;
    const nanoseconds duration = picture->duration > nanoseconds(0)
                                     ? picture->duration
                                     : frame_duration(info_.frames_per_second);
    end_ = picture->pts + duration;
    return next;
  }

 private:
  const std::function<std::unique_ptr<Source>()> open_;
  std::unique_ptr<Source> source_;
  SourceInfo info_;
  bool any_ = false;  ///< this round had a picture
  nanoseconds begin_{0}, end_{0}, offset_{0};
};

}  // namespace

std::unique_ptr<Source> thinned(std::unique_ptr<Source> source, double frames_per_second) {
  return std::make_unique<ThinnedSource>(std::move(source), frames_per_second);
}

std::unique_ptr<Source> bounded(std::unique_ptr<Source> source, double seconds, Now now) {
  return std::make_unique<BoundedSource>(std::move(source), seconds, std::move(now));
}

std::unique_ptr<Source> looped(std::function<std::unique_ptr<Source>()> open) {
  return std::make_unique<LoopedSource>(std::move(open));
}

}  // namespace gradcam
