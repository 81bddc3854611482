#include "stages/capture/animation_source.h"

#include <string>
#include <utility>

#include "config/user_error.h"
#include "stages/capture/formats/stream_time.h"

namespace gradcam {

using std::chrono::nanoseconds;

AnimationSource::AnimationSource(const std::filesystem::path& path,
                                 std::unique_ptr<Animation> animation, Rendering rendering,
                                 const InputOptions& options)
    : animation_(std::move(animation)), rendering_(std::move(rendering)) {
  info_.name = path.string();
  info_.files = {path};
  info_.duration = animation_->duration();
  start_ = seconds_to_ns(options.start_s);
  info_.begin = start_;
  stop_ = options.duration_s > 0 ? start_ + seconds_to_ns(options.duration_s) : nanoseconds::max();
  const bool whole = options.start_s <= 0 && options.duration_s <= 0;
  if (whole) info_.frames = animation_->frames();
  if (info_.duration > nanoseconds(0) && animation_->frames()) {
    const double seconds = std::chrono::duration<double>(*info_.duration).count();
    info_.frames_per_second = static_cast<double>(*animation_->frames()) / seconds;
  }
  try {
    ahead_ = read_next();
  } catch (const UnreadablePicture& problem) {
    throw UserError(ExitCode::kSource,
                    "cannot read picture '" + info_.name + "': " + problem.what());
  }
  if (ahead_.image.empty()) {
    throw UserError(ExitCode::kSource, "cannot play film '" + info_.name +
                                           "': it holds no picture from " + seconds_text(start_) +
                                           " on (it is " + seconds_text(time_) + " long)");
  }
  info_.width = ahead_.image.width();
  info_.height = ahead_.image.height();
}

Captured AnimationSource::read_next() {
  while (time_ < stop_) {
    std::optional<Animation::Frame> frame = animation_->next();
    if (!frame) break;
    const nanoseconds begin = std::exchange(time_, time_ + frame->duration);
    if (begin < start_) continue;  // as in films, a frame that began before the start is none of it
    const cv::Mat image = rendering_.render(frame->picture, "picture '" + info_.name + "'");
    return {Picture(image), begin, frame->duration};
  }
  return {};
}

Capture AnimationSource::next(std::chrono::milliseconds /*timeout*/) {
  if (!ahead_.image.empty()) return std::exchange(ahead_, {});
  try {
    Captured captured = read_next();
    if (!captured.image.empty()) return captured;
    return EndOfStream{};
  } catch (const UnreadablePicture& problem) {
    return EndOfStream{"it ends after " + seconds_text(time_) + ": " + problem.what()};
  }
}

}  // namespace gradcam
