#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/explainer.h"
#include "stages/explain/model/network.h"

namespace gradcam {

/// Where the default network may be, the first one that holds it wins:
/// <program>/../share/gradcam-live/models, $XDG_DATA_HOME/gradcam-live/models (if the variable is
/// not set, that below ~/.local/share) and the build tree's models folder.
std::vector<std::filesystem::path> model_folders(const std::filesystem::path& program);

/// The default network in the first of `folders` that holds it; a bundle before the `.pt`. Throws
/// UserError(kModel) that names scripts/setup.
std::string default_model(const std::vector<std::filesystem::path>& folders);

/// The model file that `--model` (or $GRADCAM_MODEL, its variable) means: `asked` itself, or if it
/// is empty the default_model() in the model_folders() of this program.
std::string find_model(const std::string& asked);

/// A network and how it is to be read.
struct LoadedModel {
  Network network;
  ModelDescription description;
  std::string note;  ///< not empty: what the user should know, such as a bundle that cannot be used
};

/// Throws UserError(kModel) if the model of `options` is not there, without the time that it takes
/// to load it.
void require_model(const ExplainOptions& options);

/// What load_model() may read: the file or the files of the bundle, the description, the labels.
std::vector<std::filesystem::path> files_read(const ExplainOptions& options);

/// The file or bundle of `options.model`, with the labels of `options.labels`. A bundle that cannot
/// be used gives way to the TorchScript file in it, with a note. Throws UserError.
LoadedModel load_model(const ExplainOptions& options);

/// The network of `options.model` with its description and labels, ready for warm_up().
/// Throws UserError.
std::unique_ptr<Explainer> load_explainer(const ExplainOptions& options);

}  // namespace gradcam
