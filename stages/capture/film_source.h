#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "stages/capture/film_decoder.h"
#include "stages/capture/film_picture.h"
#include "stages/capture/formats/stream_time.h"
#include "stages/capture/source.h"

namespace gradcam {

/// A film file: every frame that ffprobe shows, with its time, as FilmPicture makes it. Of the
/// options it obeys start and duration: a frame belongs to them by the time at which it begins.
class FilmSource : public Source {
 public:
  /// Returns once the first picture is decoded. Throws UserError(kSource), also when stopped.
  FilmSource(const std::filesystem::path& path, const InputOptions& options,
             std::stop_token stop = {});
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  void open();
  /// Stands at the first frame from start_ on, or at the end.
  void go_to_start();
  bool go_to_key_frame_near(std::chrono::nanoseconds time);
  bool read_up_to(std::chrono::nanoseconds time);
  FilmDecoder::Step step();
  Captured take_frame();
  void fill_info(std::chrono::nanoseconds length);
  std::string end_text() const;
  void fail_if_stopped() const;
  [[noreturn]] void fail(const std::string& why) const;

  std::stop_token stop_;  ///< of the opening
  SourceInfo info_;
  std::unique_ptr<FilmDecoder> decoder_;
  std::unique_ptr<FilmPicture> picture_;
  PtsCleaner cleaner_{std::chrono::nanoseconds(0)};
  bool has_frame_ = false;           ///< the decoder's frame has not been handed out yet
  std::chrono::nanoseconds pts_{0};  ///< of that frame
  std::chrono::nanoseconds start_{0};
  std::chrono::nanoseconds stop_at_{0};  ///< frames from here on are left out
  std::chrono::nanoseconds end_{0};      ///< where the part that was asked for should end
  std::chrono::nanoseconds reached_{0};  ///< end of the last frame
  Captured first_;                       ///< made at the opening, for its size
  int lost_ = 0;                         ///< pictures that could not be decoded, not told yet
};

}  // namespace gradcam
