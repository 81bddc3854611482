#pragma once

#include <string>

#include "stages/frame/description.h"

namespace gradcam {

/// How pictures are brought to the network, as JSON on one line in a description's words:
/// parse_description() reads the same out of it. Pure.
std::string input_as_json(const ModelDescription& description);

}  // namespace gradcam
