#pragma once

#include <memory>
#include <stop_token>

#include "config/options.h"
#include "pipeline/summary.h"
#include "stages/explain/layer_switch.h"

namespace gradcam {

/// A run over the sources of the options, for the commands `run` and `bench`: opens sources and
/// outputs, and binds them and the stages to the graph.
class Annotation {
 public:
  /// Opens all sources and outputs; looks for a display if a window is wanted. Main thread, before
  /// any other is started. Throws UserError: kSource (also if `stop` ends a wait), kOutput, kUsage.
  Annotation(const Options& options, const std::stop_token& stop);
  ~Annotation();

  /// All sources through the graph to their end, with a window if the options ask for one and
  /// there is a display. Main thread, once. Nobody else must use `explainers` meanwhile.
  RunSummary run(LayerSwitch& explainers, const std::stop_token& stop);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gradcam
