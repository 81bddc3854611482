#include "pipeline/stage_calls.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "pipeline/caught.h"

namespace gradcam {

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

Prepared preprocess_one(const Stages& stages, Frame frame) {
  Prepared prepared;
  const auto begin = Clock::now();
  try {
    prepared = stages.preprocess(frame);
    if (prepared.frame.image) frame.image = prepared.frame.image;
  } catch (...) {
    prepared = {};
    frame.error = "preprocess: " + message_of(std::current_exception());
  }
  frame.ms.preprocess = ms_since(begin);
  prepared.frame = std::move(frame);
  return prepared;
}

Explained explain_one(const Stages& stages, Prepared prepared) {
  Explained explained;
  Frame& frame = prepared.frame;
  const auto begin = Clock::now();
  try {
    Explanation explanation = stages.explain(prepared);
    explanation.frame_seq = frame.seq;
    explanation.frame_pts = frame.pts;
    explanation.explain_ms = ms_since(begin);
    explained.explanation = std::make_shared<const Explanation>(std::move(explanation));
  } catch (...) {
    frame.error = "explain: " + message_of(std::current_exception());
  }
  frame.ms.explain = ms_since(begin);
  explained.prepared = std::move(prepared);
  return explained;
}

Explained carry_one(Prepared prepared, const MapOutcome& outcome) {
  Explained explained;
  Frame& frame = prepared.frame;
  explained.explanation = outcome.explanation;
  if (outcome.explanation) {
    // A frame that was overtaken on its way may find the map of a later one.
    explained.map_age =
        std::max(frame.pts - outcome.explanation->frame_pts, std::chrono::nanoseconds(0));
  } else {
    frame.error = outcome.error;
    explained.failed_with = outcome.ticket;
  }
  explained.prepared = std::move(prepared);
  return explained;
}

Rendered overlay_one(const Stages& stages, Explained explained) {
  Rendered rendered;
  Frame& frame = explained.prepared.frame;
  const auto begin = Clock::now();
  try {
    rendered = stages.overlay(explained);
    if (!rendered.picture) throw std::logic_error("no picture was drawn");
  } catch (...) {
    rendered = {};
    rendered.picture = frame.image;
    if (!frame.failed()) frame.error = "overlay: " + message_of(std::current_exception());
    explained.explanation = nullptr;
  }
  frame.ms.overlay = ms_since(begin);
  rendered.explained = std::move(explained);
  return rendered;
}

}  // namespace gradcam
