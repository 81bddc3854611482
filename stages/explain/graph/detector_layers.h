#pragma once

#include <string>
#include <vector>

#include "stages/explain/model/model.h"

namespace gradcam {

/// The outputs of a detector's neck, one layer for each size that it predicts at, large maps first.
/// Of each size it is the last map that all predictions of this size come from and that other sizes
/// use, too. No other size uses a map of the last size: there it is the layer as far in front of
/// the predictions as at the other sizes. Empty if the network is not built like this. Shapes come
/// from one run on a zero input of 1x3xheightxwidth; throws as list_layers() does.
std::vector<std::string> detector_layers(const Model& model, int height, int width);

}  // namespace gradcam
