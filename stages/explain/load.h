#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/model/network.h"
#include "stages/frame/description.h"

namespace gradcam {

/// The folders that are searched for the default network, in this order:
/// <folder of the program>/../share/gradcam-live/models, $XDG_DATA_HOME/gradcam-live/models
/// (~/.local/share/gradcam-live/models if the variable is not set), and the models folder of the
/// build tree.
std::vector<std::filesystem::path> model_folders(const std::filesystem::path& program);

/// The default network in the first of `folders` that holds it. Throws UserError(kModel) that names
/// scripts/setup.
std::string default_model(const std::vector<std::filesystem::path>& folders);

/// The model file or bundle that `--model` means: `asked` itself, of a folder with one network in it
/// that file (file_format.h), or if it is empty the default_model() in the model_folders() of this
/// program. Throws UserError(kModel) for another folder.
std::string find_model(const std::string& asked);

/// A network and how it is to be read.
struct LoadedModel {
  Network network;
  ModelDescription description;
  std::string note;  ///< not empty: what the user should know, such as a bundle that cannot be used
};

/// Throws UserError(kModel) if the model of `options` is not there. Quick: nothing is loaded.
void require_model(const ExplainOptions& options);

/// What load_model() and the explainer may read: the file or the files of the bundle, the
/// description, the labels, the reference picture.
std::vector<std::filesystem::path> files_read(const ExplainOptions& options);

/// Loads the file or bundle of `options.model`, with the labels of `options.labels`. Of a bundle
/// that cannot be used, the TorchScript file in it is loaded, and the note says so. Throws
/// UserError, and Stopped at the next step once `stop` is requested.
LoadedModel load_model(const ExplainOptions& options, const std::stop_token& stop = {});

}  // namespace gradcam
