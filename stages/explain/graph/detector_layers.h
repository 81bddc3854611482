#pragma once

#include <string>
#include <vector>

#include "stages/explain/model/model.h"

namespace gradcam {

/// The outputs of a detector's neck, one layer for each size that it predicts at, large maps first.
/// For each size it is the last map that feeds all predictions of that size and also another size.
/// The last size feeds no other: its layer is taken at the same distance from the predictions.
/// Empty if the network is not built like this. Shapes come from one run on a zero input of
/// 1x3xheightxwidth; throws as list_layers() does.
std::vector<std::string> detector_layers(const Model& model, int height, int width,
                                         int channels = 3);

}  // namespace gradcam
