#pragma once

#include <vector>

#include "config/options.h"
#include "stages/frame/explanation.h"

/// From method maps to heat. Plain loops: maps are small, and starting a tensor operation costs
/// more than its arithmetic. Pure functions; any thread.
namespace gradcam {

/// (x - min) / (1e-7 + (max - min)), as pytorch-grad-cam's scale_cam_image; 0 everywhere stays 0.
HeatMap min_max(HeatMap map);

/// From the method maps of one target, one per layer, to heat:
/// gradcam: ReLU and min-max at map size, bilinear to height x width (the network's input,
///   align_corners=False), mean over layers, ReLU, min-max (pytorch-grad-cam 1.5). The second ReLU
///   is left out: what comes there is not negative.
/// notebook: ReLU only, at the size of the first layer's map, mean over layers; enlarging and
///   scaling follow on the frame.
/// captum: no ReLU and no scaling, nearest neighbour to height x width (Captum's interpolate),
/// mean. raw: the same, bilinear. Throws std::runtime_error if a map holds a NaN or an infinity.
HeatMap to_heat(const std::vector<HeatMap>& maps, Style style, int height, int width);

/// The largest value at each place of the heats of several targets, all of one size.
HeatMap merge_heats(std::vector<HeatMap> heats);

/// Changes the sign of a map, where it is free, to that of the last map; else the picture could
/// turn inside out between two frames. `last` then becomes this map. The first map stays as it is.
void align_sign(HeatMap& map, HeatMap& last);

}  // namespace gradcam
