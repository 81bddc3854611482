#pragma once

#include <string>
#include <vector>

#include "stages/explain/model/model.h"
#include "stages/frame/description.h"

namespace gradcam {

/// The outputs of a detector's neck, one layer for each size that it predicts at, large maps first.
/// For each size it is the last map that feeds all predictions of that size and also another size.
/// The last size feeds no other: its layer is taken at the same distance from the predictions.
/// Empty if the network is not built like this. Shapes come from one run on a zero input of
/// the description's size; throws as list_layers() does.
std::vector<std::string> detector_layers(const Model& model, const ModelDescription& description);

}  // namespace gradcam
