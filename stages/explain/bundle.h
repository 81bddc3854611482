#pragma once

#include <string>

#include "stages/explain/network.h"

namespace gradcam {

/// Reads a folder that scripts/compile_model.py made, and sees that it is whole and made for this
/// program. Throws UserError(kModel) that names the folder and what is wrong.
Bundle open_bundle(const std::string& folder);

}  // namespace gradcam
