#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "stages/capture/gst_stream.h"
#include "stages/capture/http_pictures.h"
#include "stages/capture/source.h"
#include "stages/frame/clock.h"

namespace gradcam {

/// A camera that sends JPEGs by HTTP. The time of a picture is that of its arrival, from 0 on; it
/// breaks when none comes for much longer than it ever took.
class HttpCamera : public Source {
 public:
  /// Asks the server of an http(s):// address, and returns once a picture is there. Null where it
  /// sends something else, such as a film or one picture. Throws UserError(kSource). All limits are
  /// held against `now`.
  static std::unique_ptr<Source> open(const std::string& url, const Opening& opening,
                                      Now now = Clock::now);
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  HttpCamera(const std::string& url, const Opening& opening, Now now);
  bool sends_pictures();
  void wait_for_first();
  bool wait_until(const std::function<bool()>& arrived, std::chrono::seconds limit);
  Captured to_captured();
  std::chrono::nanoseconds silence_limit() const;
  void throw_if_failed();
  [[noreturn]] void fail(const std::string& why) const;

  Now now_;
  std::stop_token stop_;
  SourceInfo info_;
  HttpPictures pictures_;  ///< outlives the pipeline, whose threads use it
  gst::Stream stream_;
  gst::LiveTimes times_{0};
  std::optional<std::chrono::nanoseconds> last_;  ///< time of the last picture
  std::chrono::nanoseconds longest_{0};           ///< between two pictures
};

}  // namespace gradcam
