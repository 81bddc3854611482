#pragma once

#include "stages/explain/explainer.h"
#include "stages/explain/maps/faithfulness.h"

namespace gradcam {

/// How far the map of `explanation`, which `explainer` made of `blob` for `question`, can be
/// trusted (`--verify`). Runs the network some 25 times, on the explainer's thread. Throws
/// std::logic_error for a task without scores of classes.
Trust verify(Explainer& explainer, const Blob& blob, const Explanation& explanation,
             const Question& question);

}  // namespace gradcam
