#include "pipeline/stream_output.h"

#include <exception>

#include "pipeline/log.h"
#include "pipeline/reports.h"

namespace gradcam {

void StreamOutput::write(const Rendered& frame) {
  for (const auto& sink : sinks_) sink->write(frame);
  if (!begun_) {
    for (const auto& sink : sinks_) {
      if (const std::string note = sink->note(); !note.empty()) log::info(note);
    }
  }
  begun_ = true;
  if (top_.print) explanation_ = frame.explained.explanation;
}

void StreamOutput::finish() {
  if (explanation_) print_top(*explanation_, top_.heading);
  std::exception_ptr first;
  for (const auto& sink : sinks_) {
    try {
      sink->finish();
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  sinks_.clear();
  if (first) std::rethrow_exception(first);
}

}  // namespace gradcam
