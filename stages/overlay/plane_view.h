#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "config/options.h"
#include "stages/overlay/overlay.h"
#include "stages/picture/picture.h"

namespace gradcam {

/// Whether draw_plane_view() can draw these views of this frame: what draw_view() does in BGR, but
/// in the frame's own planes, so that a film is never converted. It needs YUV of 8 bits, heat of
/// style gradcam (the others need the map at the size of the frame), and for the mirror a width
/// that divides into samples of chroma.
bool fits_planes(const Picture& frame, const OverlayOptions& options, bool mirror);

/// As draw_view(), in the format of `frame`, which has to fit. `heat`: null where there is none.
/// `mirror`: left and right change places, but text stays readable; `objects` are mirrored already.
/// After conversion to BGR within 2 levels of draw_view(), 4 at edges of chroma and of text; more
/// where colours lie outside RGB, which BGR cuts off and planes keep. Memory comes from
/// picture_pool(). Any thread.
Picture draw_plane_view(const Picture& frame, const HeatMap* heat, const Mapping& mapping,
                        cv::Size blob, const std::vector<DetectedObject>& objects,
                        const Explained& explained, const HudText& hud,
                        const OverlayOptions& options, bool mirror);

}  // namespace gradcam
