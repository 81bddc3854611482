#include "stages/capture/opencv_source.h"

#include <algorithm>
#include <cmath>

#include "config/user_error.h"

namespace gradcam {

using std::chrono::nanoseconds;

namespace {

/// How the pictures have to be turned; OpenCV 4.6 tells it (and turns them) the wrong way round,
/// see its issue 22088.
std::optional<cv::RotateFlags> rotation_of(const cv::VideoCapture& film) {
  const bool reversed = cv::getVersionMajor() == 4 && cv::getVersionMinor() == 6;
  const auto degrees = static_cast<int>(film.get(cv::CAP_PROP_ORIENTATION_META));
  switch (((reversed ? -degrees : degrees) % 360 + 360) % 360) {
    case 90:
      return cv::ROTATE_90_CLOCKWISE;
    case 180:
      return cv::ROTATE_180;
    case 270:
      return cv::ROTATE_90_COUNTERCLOCKWISE;
    default:
      return std::nullopt;
  }
}

}  // namespace

OpencvSource::OpencvSource(const std::filesystem::path& path, const InputOptions& options)
    : film_(path.string(), cv::CAP_FFMPEG) {
  info_.name = path.string();
  info_.files = {path};
  if (!film_.isOpened()) {
    throw UserError(ExitCode::kSource, "cannot play film '" + info_.name +
                                           "': damaged, or not a film that FFmpeg reads");
  }
  film_.set(cv::CAP_PROP_ORIENTATION_AUTO, 0);
  rotation_ = rotation_of(film_);
  info_.frames_per_second = std::max(film_.get(cv::CAP_PROP_FPS), 0.0);
  const nanoseconds step = frame_duration(info_.frames_per_second);
  cleaner_ = PtsCleaner(step);
  start_ = seconds_to_ns(options.start_s);
  stop_ = options.duration_s > 0 ? start_ + seconds_to_ns(options.duration_s) : nanoseconds::max();

  const auto claimed = static_cast<std::int64_t>(film_.get(cv::CAP_PROP_FRAME_COUNT));
  if (claimed > 0) {
    info_.duration = claimed * step;
    const nanoseconds part = std::min(*info_.duration, stop_) - start_;
    info_.frames = std::max<std::int64_t>((part + step / 2) / step, 0);
  }

  do {
    grabbed_ = grab();
  } while (grabbed_ && pts_ < start_);
  const cv::Mat image = grabbed_ ? retrieve() : cv::Mat();
  if (image.empty()) {
    throw UserError(ExitCode::kSource,
                    "cannot play film '" + info_.name + "': it holds no picture" +
                        (options.start_s > 0 ? " from " + seconds_text(start_) + " on" : ""));
  }
  info_.width = image.cols;
  info_.height = image.rows;
}

bool OpencvSource::grab() {
  if (!film_.grab()) return false;
  const double ms = film_.get(cv::CAP_PROP_POS_MSEC);
  // The reader answers 0 where it does not know, as for the last frames of a variable rate.
  std::optional<nanoseconds> raw;
  if (ms > 0 || first_) raw = nanoseconds(std::llround(ms * 1e6));
  first_ = false;
  pts_ = cleaner_.clean(raw);
  return true;
}

cv::Mat OpencvSource::retrieve() {
  cv::Mat image;
  if (!film_.retrieve(image) || !rotation_) return image;
  cv::Mat upright;
  cv::rotate(image, upright, *rotation_);
  return upright;
}

Capture OpencvSource::next(std::chrono::milliseconds /*timeout*/) {
  const nanoseconds step = frame_duration(info_.frames_per_second);
  const nanoseconds before = pts_;
  if (!grabbed_ && !grab()) {
    const nanoseconds end = std::min(info_.duration.value_or(nanoseconds(0)), stop_);
    return EndOfStream{cut_short_text(start_, before + step, end)};
  }
  grabbed_ = false;
  if (pts_ >= stop_) return EndOfStream{};
  Captured captured;
  captured.image = retrieve();
  if (captured.image.empty()) {
    throw UserError(ExitCode::kSource, "film '" + info_.name + "' cannot be decoded from " +
                                           seconds_text(pts_) + " on");
  }
  captured.pts = pts_;
  captured.duration = step;
  return captured;
}

}  // namespace gradcam
