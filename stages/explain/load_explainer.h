#pragma once

#include <memory>

#include "config/options.h"
#include "stages/explain/explainer.h"

namespace gradcam {

/// The network of `options.model` (empty: the default network) with its description and labels,
/// ready for warm_up(). Throws UserError.
std::unique_ptr<Explainer> load_explainer(const ExplainOptions& options);

}  // namespace gradcam
