#include "stages/capture/film_source.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "config/user_error.h"
#include "stages/capture/formats/container_size.h"

namespace gradcam {

using std::chrono::nanoseconds;
using Step = FilmDecoder::Step;

FilmSource::FilmSource(const std::filesystem::path& path, const InputOptions& options,
                       std::stop_token stop)
    : stop_(std::move(stop)) {
  info_.name = path.string();
  info_.files = {path};
  start_ = seconds_to_ns(options.start_s);
  stop_at_ =
      options.duration_s > 0 ? start_ + seconds_to_ns(options.duration_s) : nanoseconds::max();
  open();
  const nanoseconds length = decoder_->end();
  end_ = std::min(length, stop_at_);
  info_.begin = start_;
  fill_info(length);
  go_to_start();
  if (!has_frame_) {
    fail(start_ > nanoseconds(0) ? "it holds no picture from " + seconds_text(start_) +
                                       " on (it is " + seconds_text(length) + " long)"
                                 : "it holds no picture that can be decoded");
  }
  // Before the first whole picture there may be some that need one from before the film.
  if (start_ > nanoseconds(0) || !decoder_->each_picture_is_whole()) lost_ = 0;
  first_ = take_frame();
  info_.width = first_.image.width();
  info_.height = first_.image.height();
  stop_ = {};
}

void FilmSource::open() try {
  has_frame_ = false;
  decoder_ = std::make_unique<FilmDecoder>(info_.files[0], stop_);
  picture_ = std::make_unique<FilmPicture>(decoder_->file(), decoder_->stream());
  cleaner_ = PtsCleaner(frame_duration(decoder_->frames_per_second()));
} catch (const std::runtime_error& error) {
  fail_if_stopped();
  fail(error.what());
}

void FilmSource::fill_info(nanoseconds length) {
  info_.frames_per_second = decoder_->frames_per_second();
  if (length <= nanoseconds(0)) return;
  info_.duration = length;
  const double part = std::chrono::duration<double>(std::max(end_ - start_, nanoseconds(0))) /
                      std::chrono::duration<double>(length);
  const auto frames = static_cast<double>(decoder_->frames());
  if (frames > 0) info_.frames = std::llround(frames * std::min(part, 1.0));
}

void FilmSource::go_to_start() {
  // A container's key frame may come later than it says, or show frames before itself that only the
  // group of pictures in front of it makes whole: one farther back is taken then, at last the
  // first.
  constexpr auto kStep = std::chrono::seconds(1);
  if (start_ > nanoseconds(0) && decoder_->can_seek()) {
    for (nanoseconds back{0}; back < start_; back = std::max<nanoseconds>(2 * back, kStep)) {
      if (!go_to_key_frame_near(start_ - back)) break;
      if (has_frame_ && pts_ <= start_) {
        read_up_to(start_);
        return;
      }
    }
    open();
  }
  read_up_to(start_);
}

/// False where the container knows no place for it; without a frame, there is no key frame behind.
bool FilmSource::go_to_key_frame_near(nanoseconds time) {
  has_frame_ = false;
  cleaner_ = PtsCleaner(frame_duration(info_.frames_per_second));
  if (!decoder_->seek(time)) return false;
  while (true) {
    const Step result = step();
    if (result == Step::kEnd) return true;
    // Without a time of its own, a frame's number in the film is not known here.
    if (result == Step::kFrame && decoder_->frame().pts == AV_NOPTS_VALUE) return false;
    if (result == Step::kFrame && decoder_->frame().key_frame != 0) return true;
    has_frame_ = false;
  }
}

/// False at the film's end.
bool FilmSource::read_up_to(nanoseconds time) {
  while (!has_frame_ || pts_ < time) {
    has_frame_ = false;
    if (step() == Step::kEnd) return false;
  }
  return true;
}

Step FilmSource::step() {
  fail_if_stopped();
  const Step result = decoder_->step();
  if (result == Step::kLost) ++lost_;
  if (result != Step::kFrame) return result;
  has_frame_ = true;
  pts_ = cleaner_.clean(decoder_->pts());
  return result;
}

Capture FilmSource::next(std::chrono::milliseconds timeout) {
  if (lost_ > 0) {
    --lost_;
    return Undecodable{};
  }
  if (!first_.image.empty()) return std::exchange(first_, {});
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  do {
    const Step result = step();
    if (result == Step::kEnd) return EndOfStream{end_text()};
    if (result == Step::kLost) {
      lost_ = 0;
      return Undecodable{};
    }
    if (result == Step::kFrame) {
      if (pts_ >= stop_at_) return EndOfStream{end_text()};
      return take_frame();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return NotYet{};
}

Captured FilmSource::take_frame() try {
  Captured captured;
  captured.image = picture_->of(decoder_->frame());
  captured.pts = pts_;
  captured.duration = decoder_->duration();
  has_frame_ = false;
  reached_ = captured.pts + captured.duration;
  captured.damaged = decoder_->is_damaged();
  return captured;
} catch (const std::runtime_error& error) {
  fail(error.what());
}

/// The container's length is often a guess: only a file that ends before its own structure is cut
/// short.
std::string FilmSource::end_text() const {
  if (is_truncated(info_.files[0])) {
    const nanoseconds half = frame_duration(info_.frames_per_second) / 2;
    if (std::string text = cut_short_text(reached_, end_, half); !text.empty()) return text;
  }
  return decoder_->unreadable();
}

void FilmSource::fail_if_stopped() const {
  if (stop_.stop_requested()) fail("stopped before its first picture");
}

void FilmSource::fail(const std::string& why) const {
  throw UserError(ExitCode::kSource, "cannot play film '" + info_.name + "': " + why);
}

}  // namespace gradcam
