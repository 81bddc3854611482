#include "pipeline/guarded_stages.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "pipeline/error_text.h"
#include "stages/frame/stopped.h"

namespace gradcam {

Prepared guarded_preprocess(const Stages& stages, Frame frame) {
  Prepared prepared;
  const auto begin = Clock::now();
  try {
    prepared = stages.preprocess(frame);
    if (!prepared.frame.image.empty()) frame.image = prepared.frame.image;
  } catch (...) {
    prepared = {};
    frame.fail("preprocess: " + message_of(std::current_exception()));
  }
  frame.ms.preprocess = ms_since(begin);
  prepared.frame = std::move(frame);
  return prepared;
}

namespace {

/// `ms`: how long the call took; `share`: of it, what this frame's map cost.
Explained explained_by(Prepared prepared, Explanation explanation, double ms, double share) {
  Frame& frame = prepared.frame;
  explanation.frame_seq = frame.seq;
  explanation.frame_pts = frame.pts;
  frame.ms.explain = ms;
  explanation.explain_ms = share * ms;
  Explained explained;
  explained.explanation = std::make_shared<const Explanation>(std::move(explanation));
  explained.prepared = std::move(prepared);
  return explained;
}

/// Inside a catch block: without a map, after `ms` in the stage.
Explained not_explained(Prepared prepared, double ms) {
  Frame& frame = prepared.frame;
  frame.ms.explain = ms;
  try {
    throw;
  } catch (const Stopped&) {
    frame.status = FrameStatus::kGivenUp;
  } catch (...) {
    frame.fail("explain: " + message_of(std::current_exception()));
  }
  Explained explained;
  explained.prepared = std::move(prepared);
  return explained;
}

/// Throws what the stage throws.
std::vector<Explained> explain_together(const Stages& stages, const std::vector<Prepared>& frames) {
  const auto begin = Clock::now();
  std::vector<Explanation> explanations = stages.explain(frames);
  if (explanations.size() != frames.size()) {
    throw std::logic_error(std::to_string(explanations.size()) + " explanations of " +
                           std::to_string(frames.size()) + " frames");
  }
  const double ms = ms_since(begin);
  const double share = 1 / static_cast<double>(frames.size());
  std::vector<Explained> results;
  results.reserve(frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    results.push_back(explained_by(frames[i], std::move(explanations[i]), ms, share));
  }
  return results;
}

}  // namespace

std::vector<Explained> guarded_explain(const Stages& stages, std::vector<Prepared> frames) {
  const auto begin = Clock::now();
  try {
    return explain_together(stages, frames);
  } catch (...) {
    if (frames.size() == 1) return {not_explained(std::move(frames[0]), ms_since(begin))};
  }
  std::vector<Explained> results;
  results.reserve(frames.size());
  for (Prepared& frame : frames) {
    std::vector<Prepared> alone;
    alone.push_back(std::move(frame));
    results.push_back(std::move(guarded_explain(stages, std::move(alone))[0]));
  }
  return results;
}

Explained carry_map(Prepared prepared, const MapOutcome& outcome) {
  Explained explained;
  Frame& frame = prepared.frame;
  explained.explanation = outcome.explanation;
  if (outcome.explanation) {
    // Time stamps of a source may run backwards.
    explained.map_age =
        std::max(frame.pts - outcome.explanation->frame_pts, std::chrono::nanoseconds(0));
  } else {
    frame.status = outcome.status;
    frame.error = outcome.error;
    explained.failed_with = outcome.ticket;
  }
  explained.prepared = std::move(prepared);
  return explained;
}

Rendered guarded_overlay(const Stages& stages, Explained explained) {
  Rendered rendered;
  Frame& frame = explained.prepared.frame;
  const auto begin = Clock::now();
  try {
    rendered = stages.overlay(explained);
    if (rendered.picture.empty()) throw std::logic_error("no picture was drawn");
  } catch (...) {
    rendered = {};
    rendered.picture = frame.image;
    if (frame.status == FrameStatus::kOk) {
      frame.fail("overlay: " + message_of(std::current_exception()));
    }
    explained.explanation = nullptr;
  }
  frame.ms.overlay = ms_since(begin);
  rendered.explained = std::move(explained);
  return rendered;
}

}  // namespace gradcam
