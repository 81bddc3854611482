#pragma once

#include "stages/output/sink.h"

namespace gradcam {

/// Takes frames and forgets them: for measurements, and runs that only write JSON or maps.
class NullSink : public Sink {
 public:
  void write(const Rendered& /*frame*/) override {}
  void finish() override {}
};

}  // namespace gradcam
