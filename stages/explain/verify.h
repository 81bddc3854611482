#pragma once

#include "stages/explain/explainer.h"
#include "stages/explain/maps/faithfulness.h"

namespace gradcam {

/// How faithful the map of `explanation` is to the network (`--verify`). `explainer` made it of
/// `blob` for `question`. Runs the network some 25 times, on the explainer's thread. Throws
/// std::logic_error for a task without scores of classes.
Faithfulness verify(Explainer& explainer, const Blob& blob, const Explanation& explanation,
                    const Question& question);

}  // namespace gradcam
