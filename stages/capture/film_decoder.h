#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "stages/capture/av_handles.h"

namespace gradcam {

/// The frames of a film file as FFmpeg's libraries decode them, in presentation order: those that
/// its edit list shows, at its times (as ffprobe prints them). The film is the largest of the
/// file's video streams, those marked as default first; covers and thumbnails are none.
class FilmDecoder {
 public:
  /// Opens the file; throws std::runtime_error that says why it cannot, also when stopped.
  FilmDecoder(const std::filesystem::path& path, std::stop_token stop);
  FilmDecoder(const FilmDecoder&) = delete;
  FilmDecoder& operator=(const FilmDecoder&) = delete;

  enum class Step {
    kFrame,
    kLost,  ///< a picture that cannot be decoded
    kNotYet,
    kEnd
  };
  /// Takes the next frame, or reads one packet towards it.
  Step step();

  /// After kFrame, until the next step. The caller may write to it.
  AVFrame& frame() { return *frame_; }
  /// Time and length of that frame: nullopt and 0 where the file tells none.
  std::optional<std::chrono::nanoseconds> pts() const;
  std::chrono::nanoseconds duration() const;
  /// Whether that frame could be decoded only in part.
  bool is_damaged() const;
  /// Not empty: why the file could not be read up to its end.
  const std::string& unreadable() const { return unreadable_; }

  /// Whether the container tells the times of frames behind a jump.
  bool can_seek() const;
  /// Goes on from a key frame that the container knows near `time`, which may lie behind it; false
  /// where it knows none. Only if can_seek().
  bool seek(std::chrono::nanoseconds time);

  /// Whether none of its pictures needs another one to be decoded.
  bool each_picture_is_whole() const;
  /// Where the film ends, what it counts and how fast it is, as the container claims. 0 = unknown.
  std::chrono::nanoseconds end() const;
  std::int64_t frames() const;
  double frames_per_second() const;
  AVFormatContext* file() const { return file_.get(); }
  AVStream* stream() const { return stream_; }

 private:
  void choose_stream();
  void open_codec();
  Step send();

  std::stop_token stop_;  ///< of the opening
  av::Format file_;
  AVStream* stream_ = nullptr;
  av::Codec codec_;
  av::Packet packet_;
  av::Frame frame_;
  std::chrono::nanoseconds origin_{0};  ///< what the file calls its time 0
  std::string unreadable_;
};

}  // namespace gradcam
