#pragma once

#include <vector>

#include "stages/frame/box.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// The heat inside the boxes alone, 0 elsewhere. `boxes` in pixels of the network's input, height x
/// width, which the heat covers; they may reach beyond it. A pixel belongs to a box that holds its
/// centre; of a coarser heat (style notebook), a cell to a box that touches it. Without boxes all
/// is 0. Values are not scaled anew. Pure; any thread.
HeatMap inside_boxes(const HeatMap& heat, const std::vector<Box>& boxes, int height, int width);

}  // namespace gradcam
