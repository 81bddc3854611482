#pragma once

#include <cstdio>
#include <stop_token>
#include <string>

#include "pipeline/summary.h"
#include "stages/explain/explainer.h"

namespace gradcam {

/// Median times of the engine alone. Plain and explained calls take turns on one thread.
struct EngineTimes {
  double forward_only_ms = 0;  ///< the network without a map, as Explainer::forward_only()
  double explained_ms = 0;     ///< scores and heat map
  double ratio = 0;            ///< median of explained / forward-only over pairs of turns
};

/// Measures on a thread of its own, as the pipeline's inference thread is one.
EngineTimes time_engine(Explainer& explainer, const std::stop_token& stop);

/// To `out`: the engine's times, and the stages' of a run.
void print_bench(const EngineTimes& engine, const RunSummary& summary, std::FILE* out);
/// The same as one JSON object.
std::string bench_json(const EngineTimes& engine, const RunSummary& summary);

}  // namespace gradcam
