#pragma once

#include "stages/frame/description.h"
#include "stages/frame/frame.h"
#include "stages/overlay/overlay.h"

/// Preprocess and overlay as stages of the graph: from one message to the next. Pure; any thread.
namespace gradcam {

/// The frame and what the network sees of it. `exact`: as BGR, whose bytes are Pillow's own
/// (preprocess.h), also where the frame is none.
Prepared prepare(const Frame& frame, const ModelDescription& description, bool exact = false);

/// The map at the size of the frame (made when somebody asks), its figures, the boxes, and the
/// picture that shows them: in the frame's own format where that can be had (plane_view.h), else in
/// BGR.
Rendered render(const Explained& explained, const HudText& hud, const OverlayOptions& options);

/// The picture of a frame that was rendered before, drawn again with other options. `mirror`: left
/// and right change places, but text stays readable.
Picture redraw(const Rendered& rendered, const HudText& hud, const OverlayOptions& options,
               bool mirror);

}  // namespace gradcam
