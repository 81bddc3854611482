#pragma once

#include <opencv2/core.hpp>

#include "stages/frame/blob.h"
#include "stages/frame/frame.h"
#include "stages/frame/heat_map.h"

namespace gradcam {

/// Sums up a float32 HxW map 0..1 in a few numbers; in pixel coordinates (0,0) is the first pixel.
/// Entropy is that of at most 128x128 pixels spread evenly over the map, divided by the log of
/// their number. A map that is 0 everywhere has coverage and entropy 0, and neither peak nor
/// centroid. Pure; any thread.
CamFigures figures_of(const cv::Mat& map);

/// The same of the map that map_on_frame() makes of heat in style gradcam, without making that map:
/// each value of the heat counts for the pixels that show it. Centroid and entropy are those of the
/// map; coverage is within about 0.0005 of it, and the peak within a pixel. For heat of no more
/// values than the frame has pixels, on both axes. Throws std::runtime_error on NaN and infinity,
/// std::invalid_argument where the sizes do not fit. Pure; any thread.
CamFigures figures_of(const HeatMap& heat, const Mapping& mapping, cv::Size blob);

}  // namespace gradcam
