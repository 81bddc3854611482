#pragma once

#include <vector>

#include "pipeline/graph.h"
#include "pipeline/map_policy.h"
#include "stages/frame/frame.h"

/// Calls of the stages as the graph makes them. None of them throws what a stage throws: the frame
/// fails, and says so. Each takes the time of its stage, and none lets a stage change what the
/// graph goes by (stream, ticket, number).
namespace gradcam {

Prepared guarded_preprocess(const Stages& stages, Frame frame);

/// All `frames` by one call of the stage; one result per frame, in their order. If that throws and
/// there are several, one call for each: which of them fails then shows.
std::vector<Explained> guarded_explain(const Stages& stages, std::vector<Prepared> frames);

/// Without a call of the stage: with the map of another frame, or failed as that frame did.
Explained carry_map(Prepared prepared, const MapOutcome& outcome);

/// If the stage throws, the picture is that of the frame, with nothing drawn on it.
Rendered guarded_overlay(const Stages& stages, Explained explained);

}  // namespace gradcam
