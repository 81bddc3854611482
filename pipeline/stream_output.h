#pragma once

#include <memory>
#include <vector>

#include "pipeline/frame.h"
#include "stages/output/sink.h"

namespace gradcam {

/// All sinks of one stream as one. One call at a time.
class StreamOutput {
 public:
  /// `print_top`: the best classes of each frame go to stdout.
  StreamOutput(std::vector<std::unique_ptr<Sink>> sinks, bool print_top)
      : sinks_(std::move(sinks)), print_top_(print_top) {}

  void write(const Rendered& frame);
  /// Every sink is finished even if one cannot be: what the others hold is not to be lost. Throws
  /// what the first threw.
  void finish();

 private:
  std::vector<std::unique_ptr<Sink>> sinks_;
  bool print_top_;
};

}  // namespace gradcam
