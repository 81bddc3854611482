#include "stages/output/opencv_film_sink.h"

#include <array>

#include "config/user_error.h"
#include "stages/output/film_sink.h"
#include "stages/output/output_path.h"

namespace gradcam {
namespace {

constexpr double kFallbackRate = 25;

}  // namespace

OpencvFilmSink::OpencvFilmSink(std::filesystem::path path, const SourceInfo& source, bool overwrite)
    : path_(std::move(path)),
      frames_per_second_(source.frames_per_second > 0 ? source.frames_per_second : kFallbackRate) {
  require_new_file(path_, overwrite);
}

void OpencvFilmSink::open(cv::Size picture) {
  size_ = film_size(picture);
  note_ = film_size_note(path_, picture);
  const bool mp4 = lower_extension(path_) == ".mp4";
  const std::array<int, 2> codecs = {mp4 ? cv::VideoWriter::fourcc('a', 'v', 'c', '1')
                                         : cv::VideoWriter::fourcc('H', '2', '6', '4'),
                                     cv::VideoWriter::fourcc('m', 'p', '4', 'v')};
  for (const int codec : codecs) {
    if (writer_.open(path_.string(), cv::CAP_FFMPEG, codec, frames_per_second_, size_)) return;
  }
  throw UserError(ExitCode::kOutput,
                  "cannot write film '" + path_.string() +
                      "': OpenCV's FFmpeg writer has no encoder for it, or the disk refuses");
}

void OpencvFilmSink::write(const Rendered& frame) {
  if (!writer_.isOpened()) open(frame.picture.size());
  writer_.write(fit_film(frame.picture.bgr(), size_));
}

void OpencvFilmSink::finish() {
  const bool opened = writer_.isOpened();
  writer_.release();
  std::error_code error;
  if (opened && std::filesystem::file_size(path_, error) == 0) {
    throw UserError(ExitCode::kOutput,
                    "cannot write film '" + path_.string() + "': it stayed empty");
  }
}

}  // namespace gradcam
