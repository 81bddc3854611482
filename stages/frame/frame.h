#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <vector>

#include "stages/frame/blob.h"
#include "stages/frame/clock.h"
#include "stages/frame/explanation.h"
#include "stages/frame/image.h"

/// Everything that crosses an edge of the graph. Each hop holds the one before it; all are cheap
/// handles, copied at every node. Nobody writes the pixels of an image once a stage returned it.
namespace gradcam {

/// What each stage spent on one frame, in milliseconds.
struct StageTimes {
  double capture = 0;
  double preprocess = 0;
  double explain = 0;
  double overlay = 0;
  double output = 0;
};

struct Frame {
  int stream = 0;
  std::uint64_t ticket = 0;              ///< order of admission in its stream, without gaps
  std::int64_t seq = 0;                  ///< number of the frame in its source, from 0
  std::chrono::nanoseconds pts{0};       ///< presentation time, strictly increasing
  std::chrono::nanoseconds duration{0};  ///< 0 = unknown
  Clock::time_point captured_at;
  std::int64_t dropped_before = 0;  ///< frames of this stream dropped since the last one admitted
  Image image;
  cv::Size source_size;  ///< of the picture as captured; `image` is smaller after --max-dim
  StageTimes ms;
  std::string error;  ///< not empty: a stage failed on this frame; later stages pass it on

  bool failed() const { return !error.empty(); }
  /// The run ended while this frame was explained: it is not shown, and no failure.
  bool given_up() const { return error == kGivenUp; }
  static constexpr const char* kGivenUp = "stopped";
};

struct Prepared {
  Frame frame;
  std::shared_ptr<const Blob> blob;  ///< null if the frame failed
  Mapping mapping;
};

struct Explained {
  Prepared prepared;
  std::shared_ptr<const Explanation> explanation;  ///< null if the frame failed
  std::chrono::nanoseconds map_age{0};  ///< by presentation time; 0 = computed from this frame
  /// Failed because that frame did, whose map it would carry (its ticket).
  std::optional<std::uint64_t> failed_with{};

  const Frame& frame() const { return prepared.frame; }
  /// Shows the map of an earlier frame.
  bool carried() const { return explanation && explanation->frame_seq != frame().seq; }
};

/// What a map says in a few numbers, coordinates in pixels of Frame::image.
struct CamFigures {
  double coverage = 0;  ///< share of pixels above 0.5
  double entropy = 0;   ///< of the map as a distribution, 0 (one point) .. 1 (even)
  cv::Point2d centroid;
  cv::Point peak;
};

struct Rendered {
  Explained explained;
  Image picture;                       ///< what is shown; never null
  std::shared_ptr<const cv::Mat> map;  ///< float32 0..1, frame size; null if the frame failed
  std::optional<CamFigures> figures;
  std::vector<DetectedObject> objects;  ///< in pixels of Frame::image
  Image window;  ///< what a window shows, if that is not `picture` (mirrored …); may be null

  const Frame& frame() const { return explained.prepared.frame; }
};

}  // namespace gradcam
