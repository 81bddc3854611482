#include "pipeline/render.h"

#include "stages/overlay/cam_figures.h"
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

Prepared prepare(const Frame& frame, const ModelDescription& description, int max_dim) {
  Prepared prepared{frame, nullptr, {}};
  if (max_dim > 0) {
    prepared.frame.image = std::make_shared<const cv::Mat>(shrink(*frame.image, max_dim));
  }
  NetworkInput input = to_network_input(*prepared.frame.image, description);
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
    rendered.figures = figures_of(map);
    rendered.map = std::make_shared<const cv::Mat>(std::move(map));
  }
  rendered.picture = redraw(rendered, hud, options, false);
  return rendered;
}

Image redraw(const Rendered& rendered, const HudText& hud, const OverlayOptions& options,
             bool mirror) {
  cv::Mat frame = *rendered.frame().image;
  cv::Mat map = rendered.map ? *rendered.map : cv::Mat();
  if (mirror) {
    frame = mirrored(frame);
    map = mirrored(map);
  }
  return std::make_shared<const cv::Mat>(draw_view(frame, map, rendered.explained, hud, options));
}

}  // namespace gradcam
