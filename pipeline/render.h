#pragma once

#include "stages/frame/description.h"
#include "stages/frame/frame.h"
#include "stages/overlay/overlay.h"

namespace gradcam {

/// The stage preprocess: the frame as the network sees it, first shrunk to `max_dim` (0 = never).
Prepared prepare(const Frame& frame, const ModelDescription& description, int max_dim);

/// The stage overlay: the heat on its frame, its figures, and the picture.
Rendered render(const Explained& explained, const HudText& hud, const OverlayOptions& options);

/// The picture of a frame that was rendered before, drawn anew; as in a mirror if `mirror`, with
/// its text still readable.
Image redraw(const Rendered& rendered, const HudText& hud, const OverlayOptions& options,
             bool mirror);

}  // namespace gradcam
