#pragma once

#include <vector>

#include "pipeline/graph.h"
#include "pipeline/map_policy.h"
#include "stages/frame/frame.h"

/// One call of one stage on one frame. None of these throws what the stage throws: the frame
/// carries it. Each measures its stage, and none lets a stage change what the graph goes by
/// (ticket, stream, number).
namespace gradcam {

Prepared preprocess_one(const Stages& stages, Frame frame);
Explained explain_one(const Stages& stages, Prepared prepared);
/// By one call if there are several and the stages can; if that fails, one by one.
std::vector<Explained> explain_some(const Stages& stages, std::vector<Prepared> frames);
/// With the map of another frame, or failed as that one.
Explained carry_one(Prepared prepared, const MapOutcome& outcome);
Rendered overlay_one(const Stages& stages, Explained explained);

}  // namespace gradcam
