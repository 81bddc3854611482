#pragma once

#include <string>

#include "stages/explain/model/network.h"

namespace gradcam {

/// Whether the folder looks like one that scripts/compile_model.py made. It may still be damaged.
bool is_bundle(const std::string& folder);

/// Whether the bundle holds a model.pt that agrees with the stamp of the bundle in size and
/// checksum. Without a stamp, any model.pt counts as sound.
bool has_sound_model(const std::string& folder);

/// Reads a folder that scripts/compile_model.py made, and checks that its files are whole and that
/// it was made for this program's versions. Throws UserError(kModel) that names the folder and what
/// is wrong.
Bundle open_bundle(const std::string& folder);

}  // namespace gradcam
