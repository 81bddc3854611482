#pragma once

#include <vector>

#include "stages/explain/box.h"
#include "stages/explain/explanation.h"

namespace gradcam {

/// The heat inside the boxes alone, 0 elsewhere: a pixel belongs to a box that holds its centre.
/// `boxes` in pixels of the heat (the network's input in style gradcam); they may reach beyond it.
/// Without boxes all is 0. Values are not scaled anew. Pure; any thread.
HeatMap inside_boxes(const HeatMap& heat, const std::vector<Box>& boxes);

}  // namespace gradcam
