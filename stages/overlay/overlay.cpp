#include "stages/overlay/overlay.h"

#include <algorithm>
#include <opencv2/core/utility.hpp>

#include "stages/overlay/blend.h"
#include "stages/overlay/box_drawing.h"
#include "stages/overlay/colormap.h"
#include "stages/overlay/hud.h"
#include "stages/overlay/side_by_side.h"
#include "stages/overlay/text.h"

namespace gradcam {
namespace {

/// `draw(strip)` for strips of rows that fit into the processor's cache, on all cores.
template <typename Draw>
void for_each_strip(int rows, const Draw& draw) {
  constexpr int kRows = 16;
  cv::parallel_for_(cv::Range(0, (rows + kRows - 1) / kRows), [&](const cv::Range& strips) {
    for (int i = strips.start; i < strips.end; ++i) {
      draw(cv::Range(i * kRows, std::min((i + 1) * kRows, rows)));
    }
  });
}

/// The picture without HUD.
cv::Mat single_view(const cv::Mat& frame, const cv::Mat& map, const OverlayOptions& options) {
  if (map.empty() || options.view == ViewKind::kOriginal) return frame.clone();
  cv::Mat picture(frame.size(), CV_8UC3);
  for_each_strip(frame.rows, [&](const cv::Range& rows) {
    cv::Mat strip = colorize(map.rowRange(rows), options.colormap);
    if (options.view != ViewKind::kHeatmap) {
      strip = blend(frame.rowRange(rows), strip, options.style, options.opacity);
    }
    strip.copyTo(picture.rowRange(rows));
  });
  return picture;
}

}  // namespace

std::string side_by_side_title(const Explained& explained, cv::Size frame) {
  const int line_height = title_line_height(frame);
  const int room = title_width(frame);
  if (explained.frame().failed()) return fitted("frame failed", line_height, room);
  if (!explained.explanation) return "";
  return target_text(explained.explanation->targets, line_height, room,
                     explained.explanation->is_value);
}

cv::Mat draw_view(const cv::Mat& frame, const cv::Mat& map,
                  const std::vector<DetectedObject>& objects, const Explained& explained,
                  const HudText& hud, const OverlayOptions& options) {
  cv::Mat picture = single_view(frame, map, options);
  draw_boxes(picture, objects);
  if (options.view != ViewKind::kSideBySide) {
    if (options.hud) draw_hud(picture, explained, hud);
    return picture;
  }
  // The HUD goes onto the original, so that the heat stays free.
  cv::Mat original = frame;
  if (options.hud) {
    original = frame.clone();
    draw_hud(original, explained, hud);
  }
  return side_by_side(original, picture, side_by_side_title(explained, frame.size()),
                      options.colormap);
}

}  // namespace gradcam
