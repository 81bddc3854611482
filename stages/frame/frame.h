#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stages/frame/blob.h"
#include "stages/frame/clock.h"
#include "stages/frame/explanation.h"
#include "stages/frame/lazy.h"
#include "stages/picture/picture.h"

/// Everything that crosses an edge of the graph: Frame -> Prepared -> Explained -> Rendered. Each
/// holds the one before it. All are cheap to copy: what is large is shared, and nobody writes to it
/// once a stage has returned it.
namespace gradcam {

/// What each stage spent on one frame, in milliseconds.
struct StageTimes {
  double capture = 0;
  double preprocess = 0;
  double explain = 0;
  double overlay = 0;
  double output = 0;
};

/// How a frame has fared so far.
enum class FrameStatus {
  kOk,
  kFailed,   ///< a stage failed on it; later stages but overlay leave it out
  kGivenUp,  ///< the run ended while it was explained: it is not shown, and counts as no failure
};

/// One picture of one stream.
struct Frame {
  int stream = 0;                        ///< number of its source, from 0
  std::uint64_t ticket = 0;              ///< order of admission in its stream, without gaps
  std::int64_t seq = 0;                  ///< number of the frame in its source, from 0
  std::chrono::nanoseconds pts{0};       ///< presentation time, strictly increasing
  std::chrono::nanoseconds duration{0};  ///< 0 = unknown
  Clock::time_point captured_at;
  std::int64_t dropped_before = 0;  ///< frames of this stream dropped since the last one admitted
  Picture image;
  cv::Size source_size;  ///< of the picture as captured; `image` is smaller after --max-dim
  StageTimes ms;
  FrameStatus status = FrameStatus::kOk;
  std::string error;  ///< of kFailed: which stage failed, and why

  bool failed() const { return status == FrameStatus::kFailed; }
  bool given_up() const { return status == FrameStatus::kGivenUp; }
  void fail(std::string why) {
    status = FrameStatus::kFailed;
    error = std::move(why);
  }
};

/// After preprocess: the frame as the network sees it.
struct Prepared {
  Frame frame;
  std::shared_ptr<const Blob> blob;  ///< null if the frame failed
  Mapping mapping;
};

/// After explain: with a map of its own, or that of an earlier frame.
struct Explained {
  Prepared prepared;
  std::shared_ptr<const Explanation> explanation;  ///< null if the frame failed or was given up
  std::chrono::nanoseconds map_age{0};  ///< by presentation time; 0 = computed from this frame
  /// Not empty: the frame should carry the map of the frame with this ticket, and that one failed.
  std::optional<std::uint64_t> failed_with{};

  const Frame& frame() const { return prepared.frame; }
  /// Its map is that of an earlier frame.
  bool carried() const { return explanation && explanation->frame_seq != frame().seq; }
};

/// What a map says in a few numbers, coordinates in pixels of Frame::image. A map without heat has
/// neither centroid nor peak.
struct CamFigures {
  double coverage = 0;  ///< share of pixels above 0.5
  double entropy = 0;   ///< of the map as a distribution, 0 (one point) .. 1 (even)
  std::optional<cv::Point2d> centroid{};
  std::optional<cv::Point> peak{};
};

/// After overlay: as it is shown and written.
struct Rendered {
  Explained explained;
  Picture picture;    ///< what is shown; never empty
  Lazy<cv::Mat> map;  ///< float32 0..1, frame size; none if the frame failed
  std::optional<CamFigures> figures;
  std::vector<DetectedObject> objects;  ///< in pixels of Frame::image
  Picture window;  ///< what a window shows, if that is not `picture` (mirrored …); may be empty

  const Frame& frame() const { return explained.prepared.frame; }
};

}  // namespace gradcam
