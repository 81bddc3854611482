#include "pipeline/render.h"

#include <vector>

#include "stages/overlay/cam_figures.h"
#include "stages/overlay/class_tint.h"
#include "stages/overlay/guided_view.h"
#include "stages/overlay/heat_on_frame.h"
#include "stages/preprocess/preprocess.h"

namespace gradcam {
namespace {

cv::Mat mirrored(const cv::Mat& picture) {
  cv::Mat result;
  if (!picture.empty()) cv::flip(picture, result, 1);
  return result;
}

}  // namespace

Prepared prepare(const Frame& frame, const ModelDescription& description) {
  Prepared prepared{frame, nullptr, {}};
  NetworkInput input = to_network_input(*frame.image, description);
  prepared.mapping = input.mapping;
  prepared.blob = std::make_shared<const Blob>(std::move(input.blob));
  return prepared;
}

Rendered render(const Explained& explained, const HudText& hud, const OverlayOptions& options) {
  Rendered rendered;
  rendered.explained = explained;
  if (explained.explanation) {
    const Blob& blob = *explained.prepared.blob;
    cv::Mat map = map_on_frame(explained.explanation->heat, explained.prepared.mapping,
                               cv::Size(blob.width, blob.height), options.style);
    const bool explains = !explained.explanation->targets.empty();  // else there is no heat
    if (explains) rendered.figures = figures_of(drawable(map, options.style));
    rendered.objects = explained.explanation->objects;
    for (DetectedObject& object : rendered.objects) {
      object.box = on_frame(object.box, explained.prepared.mapping);
    }
    rendered.map = std::make_shared<const cv::Mat>(std::move(map));
  }
  rendered.picture = redraw(rendered, hud, options, false);
  return rendered;
}

Image redraw(const Rendered& rendered, const HudText& hud, const OverlayOptions& options,
             bool mirror) {
  cv::Mat frame = *rendered.frame().image;
  cv::Mat map = rendered.map ? drawable(*rendered.map, options.style) : cv::Mat();
  std::vector<DetectedObject> objects = rendered.objects;
  const auto& explanation = rendered.explained.explanation;
  const Prepared& prepared = rendered.explained.prepared;
  const auto blob_size = [&] { return cv::Size(prepared.blob->width, prepared.blob->height); };
  if (options.tint && explanation && explanation->classes) {
    frame = tinted(frame, *explanation->classes, prepared.mapping, blob_size());
  }
  OverlayOptions shown = options;
  if (is_guided(options.view) && explanation && explanation->guided) {
    const bool times_heat = options.view == ViewKind::kGuidedGradcam;
    frame = guided_picture(*explanation->guided, times_heat ? map : cv::Mat(), prepared.mapping,
                           blob_size());
    shown.view = ViewKind::kOriginal;
  }
  if (mirror) {
    frame = mirrored(frame);
    map = mirrored(map);
    const auto width = static_cast<float>(frame.cols);
    for (DetectedObject& object : objects) {
      const Box box = object.box;
      object.box = {width - box.x2, box.y1, width - box.x1, box.y2};
    }
  }
  HudText text = hud;
  // As it was computed: another layer of the same network may have no int8 form.
  if (explanation && explanation->precision == Precision::kInt8) {
    text.model.append(" ").append(name_of(Precision::kInt8));
  }
  return std::make_shared<const cv::Mat>(
      draw_view(frame, map, objects, rendered.explained, text, shown));
}

}  // namespace gradcam
