#pragma once

#include <memory>
#include <string>

#include "config/options.h"
#include "stages/explain/explainer.h"

namespace gradcam {

/// The model file `--model` means: `asked` itself, or if it is empty the first that exists of
/// $GRADCAM_MODEL, <program>/../share/gradcam-live/models, $XDG_DATA_HOME/gradcam-live/models
/// and the build tree's models folder. Throws UserError(kModel) that names scripts/setup.
std::string find_model(const std::string& asked);

/// The network of `options.model` with its description and labels, ready for warm_up().
/// Throws UserError.
std::unique_ptr<Explainer> load_explainer(const ExplainOptions& options);

}  // namespace gradcam
