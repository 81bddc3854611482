#include "pipeline/render.h"

#include <algorithm>
#include <vector>

#include "stages/overlay/cam_figures.h"
#include "stages/overlay/class_tint.h"
#include "stages/overlay/guided_view.h"
#include "stages/overlay/heat_on_frame.h"
#include "stages/overlay/plane_view.h"
#include "stages/preprocess/preprocess.h"

namespace gradcam {
namespace {

cv::Mat mirrored(const cv::Mat& picture) {
  cv::Mat result;
  if (!picture.empty()) cv::flip(picture, result, 1);
  return result;
}

}  // namespace

Prepared prepare(const Frame& frame, const ModelDescription& description, bool exact) {
  Prepared prepared{frame, nullptr, {}};
  NetworkInput input = exact ? to_network_input(frame.image.bgr(), description)
                             : to_network_input(frame.image, description);
  prepared.mapping = input.mapping;
  prepared.blob = std::make_shared<const Blob>(std::move(input.blob));
  return prepared;
}

namespace {

cv::Size blob_size(const Prepared& prepared) {
  return {prepared.blob->width, prepared.blob->height};
}

Lazy<cv::Mat> map_of(const Explained& explained, Style style) {
  return Lazy<cv::Mat>::by([explanation = explained.explanation, style,
                            mapping = explained.prepared.mapping,
                            blob = blob_size(explained.prepared)] {
    return map_on_frame(explanation->heat, mapping, blob, style);
  });
}

/// Where the frame is drawn in its planes nobody needs the map, so it is not made for them.
CamFigures figures_for(const Rendered& rendered, const OverlayOptions& options) {
  const Prepared& prepared = rendered.explained.prepared;
  const HeatMap& heat = rendered.explained.explanation->heat;
  constexpr int kFine = 64;  // values of heat on an axis, else the map's own edges count
  const bool larger =
      prepared.mapping.frame_width >= heat.width && prepared.mapping.frame_height >= heat.height;
  if (larger && std::min(heat.width, heat.height) >= kFine &&
      fits_planes(prepared.frame.image, options, false)) {
    return figures_of(heat, prepared.mapping, blob_size(prepared));
  }
  return figures_of(drawable(*rendered.map, options.style));
}

void mirror_boxes(std::vector<DetectedObject>& objects, int frame_width) {
  const auto width = static_cast<float>(frame_width);
  for (DetectedObject& object : objects) {
    const Box box = object.box;
    object.box = {width - box.x2, box.y1, width - box.x1, box.y2};
  }
}

Picture draw_in_bgr(const Rendered& rendered, const std::vector<DetectedObject>& objects,
                    const HudText& hud, const OverlayOptions& options, bool mirror) {
  cv::Mat frame = rendered.frame().image.bgr();
  cv::Mat map = rendered.map ? drawable(*rendered.map, options.style) : cv::Mat();
  const auto& explanation = rendered.explained.explanation;
  const Prepared& prepared = rendered.explained.prepared;
  if (options.tint && explanation && explanation->classes) {
    frame = tinted(frame, *explanation->classes, prepared.mapping, blob_size(prepared));
  }
  OverlayOptions shown = options;
  if (is_guided(options.view) && explanation && explanation->guided) {
    const bool times_heat = options.view == ViewKind::kGuidedGradcam;
    frame = guided_picture(*explanation->guided, times_heat ? map : cv::Mat(), prepared.mapping,
                           blob_size(prepared));
    shown.view = ViewKind::kOriginal;
  }
  if (mirror) {
    frame = mirrored(frame);
    map = mirrored(map);
  }
  return Picture(draw_view(frame, map, objects, rendered.explained, hud, shown),
                 rendered.frame().image.color());
}

}  // namespace

Rendered render(const Explained& explained, const HudText& hud, const OverlayOptions& options) {
  Rendered rendered;
  rendered.explained = explained;
  if (explained.explanation) {
    rendered.map = map_of(explained, options.style);
    const bool explains = !explained.explanation->targets.empty();  // else there is no heat
    if (explains) rendered.figures = figures_for(rendered, options);
    rendered.objects = explained.explanation->objects;
    for (DetectedObject& object : rendered.objects) {
      object.box = on_frame(object.box, explained.prepared.mapping);
    }
  }
  rendered.picture = redraw(rendered, hud, options, false);
  return rendered;
}

Picture redraw(const Rendered& rendered, const HudText& hud, const OverlayOptions& options,
               bool mirror) {
  const Picture& frame = rendered.frame().image;
  const auto& explanation = rendered.explained.explanation;
  const Prepared& prepared = rendered.explained.prepared;
  std::vector<DetectedObject> objects = rendered.objects;
  if (mirror) mirror_boxes(objects, frame.width());
  HudText text = hud;
  // As it was computed: another layer of the same network may have no int8 form.
  if (explanation && explanation->precision == Precision::kInt8) {
    text.model.append(" ").append(name_of(Precision::kInt8));
  }
  const bool is_tinted = options.tint && explanation && explanation->classes;
  const bool shows_gradient = is_guided(options.view) && explanation && explanation->guided;
  if (is_tinted || shows_gradient || !fits_planes(frame, options, mirror)) {
    return draw_in_bgr(rendered, objects, text, options, mirror);
  }
  const HeatMap* const heat = rendered.map ? &explanation->heat : nullptr;
  const cv::Size blob = heat == nullptr ? cv::Size() : blob_size(prepared);
  return draw_plane_view(frame, heat, prepared.mapping, blob, objects, rendered.explained, text,
                         options, mirror);
}

}  // namespace gradcam
