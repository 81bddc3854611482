#pragma once

#include <string>

#include "stages/explain/model/network.h"

namespace gradcam {

/// Whether compile_model.py made the folder, as far as a look tells: it may be damaged.
bool is_bundle(const std::string& folder);

/// Whether its model.pt is there, and whole and of this network as far as there is a stamp to tell.
bool has_sound_model(const std::string& folder);

/// Reads a folder that scripts/compile_model.py made, and sees that it is whole and made for this
/// program. Throws UserError(kModel) that names the folder and what is wrong.
Bundle open_bundle(const std::string& folder);

}  // namespace gradcam
