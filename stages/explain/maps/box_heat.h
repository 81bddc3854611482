#pragma once

#include <vector>

#include "stages/frame/box.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// Keeps the heat inside the boxes and sets it to 0 elsewhere; without boxes all of it becomes 0.
/// `boxes`: in pixels of the network's input, which is height x width; the heat covers all of that
/// input, boxes may reach beyond it. A pixel is inside if the box holds its centre. Where the heat
/// is coarser than the input (style notebook), a value is inside if the box touches its cell.
/// Values are not scaled again. Pure; any thread.
HeatMap inside_boxes(const HeatMap& heat, const std::vector<Box>& boxes, int height, int width);

}  // namespace gradcam
