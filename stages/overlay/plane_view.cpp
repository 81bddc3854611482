#include "stages/overlay/plane_view.h"

#include <array>
#include <memory>
#include <opencv2/core.hpp>
#include <utility>

#include "stages/overlay/box_drawing.h"
#include "stages/overlay/colormap.h"
#include "stages/overlay/heat_on_planes.h"
#include "stages/overlay/hud.h"
#include "stages/overlay/side_by_side.h"
#include "stages/overlay/tiles.h"
#include "stages/picture/convert.h"
#include "stages/picture/picture_pool.h"
#include "stages/picture/recent.h"

namespace gradcam {
namespace {

struct Placing {
  Mapping mapping;
  cv::Size heat;
  cv::Size blob;

  bool operator==(const Placing& other) const {
    const auto numbers = [](const Placing& p) {
      const Region& frame = p.mapping.in_frame;
      const Region& shown = p.mapping.in_blob;
      return std::array<double, 8>{frame.x, frame.y, frame.width, frame.height,
                                   shown.x, shown.y, shown.width, shown.height};
    };
    return mapping.frame_width == other.mapping.frame_width &&
           mapping.frame_height == other.mapping.frame_height && heat == other.heat &&
           blob == other.blob && numbers(*this) == numbers(other);
  }
};

/// Frames of a stream want the same again and again.
std::shared_ptr<const HeatOnPlanes> heat_on_planes(const Placing& placing) {
  // Never destroyed: exit() may be called while other threads are at work.
  static auto& recent = *new Recent<Placing, HeatOnPlanes>;
  return recent.get(placing,
                    [&] { return HeatOnPlanes(placing.mapping, placing.heat, placing.blob); });
}

void flip(const PictureTarget& picture) {
  const FormatInfo& info = format_info(picture.format);
  for (std::size_t p = 0; p < static_cast<std::size_t>(info.planes); ++p) {
    const WritablePlane& plane = picture.planes[p];
    cv::Mat samples(plane.height, plane.width, CV_8UC(info.bytes[p]), plane.data,
                    static_cast<std::size_t>(plane.stride));
    cv::flip(samples, samples, 1);
  }
}

/// What one view is drawn of.
struct View {
  const Picture& frame;
  const HeatMap* heat;
  const Mapping& mapping;
  cv::Size blob;
  const std::vector<DetectedObject>& objects;
  const Explained& explained;
  const HudText& hud;
  const OverlayOptions& options;
  bool mirror;
};

void draw_frame(const View& view, const PictureTarget& out) {
  convert(view.frame.planes(), out);
  if (view.mirror) flip(out);
}

void draw_heat(const View& view, const PictureTarget& out) {
  if (view.heat == nullptr || view.options.view == ViewKind::kOriginal) {
    draw_frame(view, out);
  } else {
    const cv::Size size(view.heat->width, view.heat->height);
    const int share =
        view.options.view == ViewKind::kHeatmap ? 256 : share_of(view.options.opacity);
    heat_on_planes({view.mapping, size, view.blob})
        ->draw(view.frame.planes(), *view.heat,
               heat_colors(color_table(view.options.colormap), out.color), share, out);
    if (view.mirror) flip(out);
  }
  lay_parts(boxes_drawing(out.size(), view.objects), out);
}

void draw_hud(const View& view, const PictureTarget& out) {
  if (!view.options.hud) return;
  for (const Drawing& drawing : hud_drawings(out.size(), view.explained, view.hud)) {
    lay(drawing, out);
  }
}

Picture draw_side_by_side(const View& view) {
  const Picture& frame = view.frame;
  const SideBySide layout = side_by_side(
      frame.size(), side_by_side_title(view.explained, frame.size()), view.options.colormap);
  PictureBuffer buffer = picture_pool().take(frame.format(), layout.size, frame.color());
  const PictureTarget& out = buffer.planes();
  fill(out, layout.background);
  draw_heat(view, part_of(out, layout.result));
  const PictureTarget original = part_of(out, layout.original);
  draw_frame(view, original);
  // The HUD goes onto the original, so that the heat stays free.
  draw_hud(view, original);
  for (const Drawing& drawing : layout.around) lay(drawing, out);
  return std::move(buffer).finish();
}

}  // namespace

bool fits_planes(const Picture& frame, const OverlayOptions& options, bool mirror) {
  const FormatInfo& info = format_info(frame.format());
  return info.yuv && info.bits == 8 && options.style == Style::kGradcam &&
         !(mirror && frame.width() % (1 << info.chroma_x) != 0);
}

Picture draw_plane_view(const Picture& frame, const HeatMap* heat, const Mapping& mapping,
                        cv::Size blob, const std::vector<DetectedObject>& objects,
                        const Explained& explained, const HudText& hud,
                        const OverlayOptions& options, bool mirror) {
  const View view{frame, heat, mapping, blob, objects, explained, hud, options, mirror};
  if (options.view == ViewKind::kSideBySide) return draw_side_by_side(view);
  PictureBuffer buffer = picture_pool().take(frame.format(), frame.size(), frame.color());
  draw_heat(view, buffer.planes());
  draw_hud(view, buffer.planes());
  return std::move(buffer).finish();
}

}  // namespace gradcam
