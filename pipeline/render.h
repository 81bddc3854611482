#pragma once

#include "stages/frame/description.h"
#include "stages/frame/frame.h"
#include "stages/overlay/overlay.h"

/// Preprocess and overlay as stages of the graph: from one message to the next. Pure; any thread.
namespace gradcam {

/// The frame and what the network sees of it.
Prepared prepare(const Frame& frame, const ModelDescription& description);

/// The map at the size of the frame, its figures, the boxes, and the picture that shows them.
Rendered render(const Explained& explained, const HudText& hud, const OverlayOptions& options);

/// The picture of a frame that was rendered before, drawn again with other options. `mirror`: left
/// and right change places, but text stays readable.
Image redraw(const Rendered& rendered, const HudText& hud, const OverlayOptions& options,
             bool mirror);

}  // namespace gradcam
