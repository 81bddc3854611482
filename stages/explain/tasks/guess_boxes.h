#pragma once

#include <string>
#include <vector>

#include "stages/explain/tasks/guess_description.h"

/// The half of guess_description() that knows detectors: each function completes the description by
/// one way to give boxes, and says what was assumed; empty = the outputs are not of this way. Pure.
namespace gradcam {

/// Boxes and their scores in one tensor: the families of YOLO.
std::string guess_one_tensor(const std::vector<NetworkOutput>& outputs, ModelDescription& d);

/// Boxes and class scores apart: DETR and its kin, YOLO-NAS.
std::string guess_boxes_and_scores(const std::vector<NetworkOutput>& outputs, ModelDescription& d);

}  // namespace gradcam
