#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/explainer.h"
#include "stages/explain/model.h"

namespace gradcam {

/// Where the default network may be, the first one that holds it wins:
/// <program>/../share/gradcam-live/models, $XDG_DATA_HOME/gradcam-live/models (if the variable is
/// not set, that below ~/.local/share) and the build tree's models folder.
std::vector<std::filesystem::path> model_folders(const std::filesystem::path& program);

/// The default network in the first of `folders` that holds it. Throws UserError(kModel) that names
/// scripts/setup.
std::string default_model(const std::vector<std::filesystem::path>& folders);

/// The model file that `--model` (or $GRADCAM_MODEL, its variable) means: `asked` itself, or if it
/// is empty the default_model() in the model_folders() of this program.
std::string find_model(const std::string& asked);

/// A network and how it is to be read.
struct LoadedModel {
  Model model;
  ModelDescription description;
};

/// The file of `options.model`, with the labels of `options.labels`. Throws UserError.
LoadedModel load_model(const ExplainOptions& options);

/// The network of `options.model` with its description and labels, ready for warm_up().
/// Throws UserError.
std::unique_ptr<Explainer> load_explainer(const ExplainOptions& options);

}  // namespace gradcam
