#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/frame/frame.h"

namespace gradcam {

/// What the HUD says beside the explanation itself.
struct HudText {
  std::string model;
  std::string stream;  ///< empty when there is only one
  double frames_per_second = 0;
  double latency_p50_ms = 0;  ///< from capture to shown, of the last second or so; 0 = not known
  double latency_p95_ms = 0;
  std::int64_t dropped = 0;  ///< frames of this stream so far
  std::string note{};        ///< of the model, for whoever looks: "no clinical meaning"
};

/// Draws one frame: the view asked for, heat, HUD. Pure: same input, same pixels.
/// `frame` BGR u8 HxWx3; `map` float32 HxW 0..1 of the same size, empty when there is none (the
/// picture then shows plainly, with `explained.frame().error` in the HUD); `objects` in pixels of
/// the frame, drawn over the heat.
/// Result: BGR u8, frame size, or twice as wide plus title and colour bar for side-by-side.
cv::Mat draw_view(const cv::Mat& frame, const cv::Mat& map,
                  const std::vector<DetectedObject>& objects, const Explained& explained,
                  const HudText& hud, const OverlayOptions& options);

}  // namespace gradcam
