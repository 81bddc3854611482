#pragma once

#include <memory>
#include <stop_token>

#include "config/options.h"
#include "pipeline/stats.h"
#include "stages/explain/layer_switch.h"

namespace gradcam {

/// What `run` and `bench` share: binds sources, stages and outputs to the graph.
class Annotation {
 public:
  /// Opens all sources and checks all outputs. Main thread, before any other is started: a display
  /// is looked for. Throws UserError: kSource, also where `stop` ends the wait for a picture, and
  /// kOutput, also where there is nothing to write to.
  Annotation(const Options& options, const std::stop_token& stop);
  ~Annotation();

  /// All sources through the graph to their end, with a window if the options ask for one and
  /// there is a display. Main thread, once. `network` must not be used by others meanwhile.
  RunSummary run(LayerSwitch& network, const std::stop_token& stop);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gradcam
