#pragma once

#include <string>

#include "stages/explain/model/network.h"

namespace gradcam {

/// Bundles: folders that earlier versions made of a classifier, cut at one layer, for OpenVINO.
/// They are read still; a network's own file now runs as fast.
///
/// Whether the folder is one, by the stamp in its model.json. It may still be damaged.
bool is_bundle(const std::string& folder);

/// Whether the bundle holds a model.pt that agrees with the stamp of the bundle in size and
/// checksum. Without a stamp, any model.pt counts as sound.
bool has_sound_model(const std::string& folder);

/// Reads a bundle, and checks that its files are whole and that it was made for this program's
/// versions. Throws UserError(kModel) that names the folder and what
/// is wrong.
Bundle open_bundle(const std::string& folder);

}  // namespace gradcam
