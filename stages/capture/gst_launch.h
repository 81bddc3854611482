#pragma once

#include <string>

#include "stages/capture/cameras.h"

namespace gradcam {

/// A camera, stream or fragment for GStreamer: how its pipeline begins, and what is known of it.
struct GstLaunch {
  std::string name;    ///< of the source, as the user may see it
  std::string launch;  ///< elements up to video of any format; one may be named `source`
  /// Properties of `source`, apart so that nothing in them is read as launch syntax, and that no
  /// password is in a text that may be logged. Empty = none.
  std::string device, location, uri;
  std::string user, password;
  bool camera = false;
  bool network = false;  ///< an end of the stream is a lost connection
};

/// rtsp(s):// over TCP with 100 ms of buffer, or http(s)://. No log shows its credentials. Pure.
GstLaunch stream_launch(const std::string& url);

/// `gst:FRAGMENT`. Pure.
GstLaunch fragment_launch(const std::string& text);

/// Pure.
GstLaunch camera_launch(const Camera& camera);

}  // namespace gradcam
