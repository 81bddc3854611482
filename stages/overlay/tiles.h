#pragma once

#include "stages/overlay/drawing.h"
#include "stages/picture/planes.h"

/// Drawings on pictures that stay in their planes (YUV of 8 bits). Any thread.
namespace gradcam {

/// Draws it once and lays it on the picture as one tile. The tiles that were laid last are kept, so
/// the next picture of the same format costs no drawing while the drawing is the same.
void lay(const Drawing& drawing, const PictureTarget& picture);

/// The same for what changes with each frame or reaches far, as boxes do: each of its areas() is a
/// tile of its own, and none is kept.
void lay_parts(const Drawing& drawing, const PictureTarget& picture);

}  // namespace gradcam
