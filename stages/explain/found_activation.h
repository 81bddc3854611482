#pragma once

#include <span>
#include <string>

#include "stages/explain/engines/engine.h"
#include "stages/explain/model/network.h"
#include "stages/frame/description.h"

namespace gradcam {

/// Finds out whether the network's scores are shares already, so that no second softmax or sigmoid
/// is applied, and sets the description's activation: by the end of its graph; where that does not
/// tell, by the range and the sum of its scores of pictures that differ. What a description says
/// counts more than what is found. `first`: all numbers of its output for probe_pixels(); where
/// they cannot be shares, nothing is run. What the user should know; empty = nothing was found.
std::string find_activation(const Network& network, Engine& engine, std::span<const float> first,
                            ModelDescription& description);

}  // namespace gradcam
