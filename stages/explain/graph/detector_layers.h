#pragma once

#include <string>
#include <vector>

#include "stages/explain/model/model.h"

namespace gradcam {

/// The layers of a detector that its predictions come from, the neck's outputs, large maps first:
/// of each size that predictions are made at, the last map that all of them come from and that
/// other sizes take, too. The last size has none that others take: there it is the one as far in
/// front of the predictions as elsewhere. Empty where the network is built otherwise. Shapes are
/// found by one run on a zero input of 1x3xheightxwidth; throws as list_layers() does.
std::vector<std::string> detector_layers(const Model& model, int height, int width);

}  // namespace gradcam
