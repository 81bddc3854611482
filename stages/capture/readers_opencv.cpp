#include <algorithm>
#include <opencv2/videoio.hpp>
#include <vector>

#include "config/redact.h"
#include "config/user_error.h"
#include "stages/capture/cameras.h"
#include "stages/capture/formats/stream_time.h"
#include "stages/capture/readers.h"

namespace gradcam {
namespace {

constexpr int kTimeoutMs = 5000;

/// A camera or stream through OpenCV's videoio. Time stamps are those of their arrival.
class OpencvLiveSource : public Source {
 public:
  OpencvLiveSource(const std::string& name, const std::string& place, int backend,
                   const std::vector<int>& parameters, bool camera)
      : video_(place, backend, parameters) {
    info_.name = without_password(name);
    info_.live = true;
    info_.camera = camera;
    cv::Mat image;
    if (!video_.isOpened() || !video_.read(image) || image.empty()) {
      throw UserError(ExitCode::kSource, "source " + quoted(name) + " cannot be opened");
    }
    info_.width = image.cols;
    info_.height = image.rows;
    info_.frames_per_second = std::max(video_.get(cv::CAP_PROP_FPS), 0.0);
    cleaner_ = PtsCleaner(frame_duration(info_.frames_per_second));
  }

  const SourceInfo& info() const override { return info_; }

  Capture next(std::chrono::milliseconds /*timeout*/) override {
    cv::Mat image;  // of its own: OpenCV would write into one that it is given
    if (!video_.read(image) || image.empty()) {
      return EndOfStream{"the stream ended, or no picture came for 5 s"};
    }
    Captured captured;
    captured.image = Picture(image);
    const auto now = std::chrono::steady_clock::now();
    if (!begin_) begin_ = now;
    captured.pts = cleaner_.clean(now - *begin_);
    return captured;
  }

 private:
  SourceInfo info_;
  cv::VideoCapture video_;
  PtsCleaner cleaner_{std::chrono::nanoseconds(0)};
  std::optional<std::chrono::steady_clock::time_point> begin_;
};

}  // namespace

std::unique_ptr<Source> open_camera(const std::string& text, const Opening& /*opening*/) {
  const Camera camera = find_camera(camera_device(text), list_cameras());
  std::vector<int> parameters;
  if (const auto mode = choose_mode(camera.modes)) {
    const auto f = mode->format + "    ";
    parameters = {cv::CAP_PROP_FOURCC,       cv::VideoWriter::fourcc(f[0], f[1], f[2], f[3]),
                  cv::CAP_PROP_FRAME_WIDTH,  mode->width,
                  cv::CAP_PROP_FRAME_HEIGHT, mode->height};
  }
  return std::make_unique<OpencvLiveSource>(camera.device, camera.device, cv::CAP_V4L2, parameters,
                                            true);
}

std::unique_ptr<Source> open_stream(const std::string& url, const Opening& /*opening*/) {
  const std::vector<int> parameters = {cv::CAP_PROP_OPEN_TIMEOUT_MSEC, 2 * kTimeoutMs,
                                       cv::CAP_PROP_READ_TIMEOUT_MSEC, kTimeoutMs};
  return std::make_unique<OpencvLiveSource>(url, url, cv::CAP_FFMPEG, parameters, false);
}

std::unique_ptr<Source> open_fragment(const std::string& text, const Opening& /*opening*/) {
  throw UserError(ExitCode::kSource, "source " + quoted(text) +
                                         ": this program was built without GStreamer; give a "
                                         "film, a camera, rtsp:// or http(s)://, or test");
}

}  // namespace gradcam
