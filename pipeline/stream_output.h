#pragma once

#include <memory>
#include <vector>

#include "stages/frame/frame.h"
#include "stages/output/sink.h"

namespace gradcam {

/// All sinks of one stream as one. One call at a time.
class StreamOutput {
 public:
  /// What is told of a still on stdout.
  struct Top {
    bool print = false;
    std::string heading;  ///< above the classes; empty = none
  };
  StreamOutput(std::vector<std::unique_ptr<Sink>> sinks, Top top)
      : sinks_(std::move(sinks)), top_(std::move(top)) {}

  void write(const Rendered& frame);
  /// Prints, and finishes. Every sink is finished even if one cannot be: what the others hold is
  /// not to be lost. Throws what the first threw.
  void finish();

 private:
  std::vector<std::unique_ptr<Sink>> sinks_;
  Top top_;
  bool begun_ = false;
  std::shared_ptr<const Explanation> explanation_;  ///< of the last frame; printed at the end,
                                                    ///< where streams come in their order
};

}  // namespace gradcam
