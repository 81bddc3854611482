#pragma once

#include "config/options.h"
#include "pipeline/graph.h"
#include "stages/explain/explainer.h"

namespace gradcam {

/// The stages that the library gives: the frame as `explainer` wants it, its explanation, and its
/// picture as `overlay` says, in the explainer's style. Use them as they are, or put your own stage
/// in front of one, behind it or in its place (samples/add_a_stage.cpp). They also serve without a
/// graph, one after the other (samples/embed). `explainer` must live longer than they do. Of
/// ExplainOptions, what goes over many frames is left to the caller: `verify`, `reference`,
/// `normalize` running, `smooth` temporal; `every` and `budget_s` are the graph's (GraphOptions).
Stages default_stages(Explainer& explainer, const OverlayOptions& overlay = {});

}  // namespace gradcam
