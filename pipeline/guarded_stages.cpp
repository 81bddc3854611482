#include "pipeline/guarded_stages.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "pipeline/error_text.h"
#include "stages/frame/stopped.h"

namespace gradcam {

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

namespace {

/// `ms`: how long the frame was there for it; of a map, its share.
Explained explained_by(Prepared prepared, Explanation explanation, double ms, double share = 1) {
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

/// Inside a catch block.
std::string what_happened() {
  try {
    throw;
  } catch (const Stopped&) {
    return Frame::kGivenUp;
  } catch (...) {
    return "explain: " + message_of(std::current_exception());
  }
}

}  // namespace

Explained explain_one(const Stages& stages, Prepared prepared) {
  const auto begin = Clock::now();
  try {
    Explanation explanation = stages.explain(prepared);
    return explained_by(std::move(prepared), std::move(explanation), ms_since(begin));
  } catch (...) {
    prepared.frame.error = what_happened();
    prepared.frame.ms.explain = ms_since(begin);
    Explained failed;
    failed.prepared = std::move(prepared);
    return failed;
  }
}

std::vector<Explained> explain_some(const Stages& stages, std::vector<Prepared> frames) {
  std::vector<Explained> results;
  if (frames.size() > 1) {
    const auto begin = Clock::now();
    try {
      std::vector<Explanation> explanations = stages.explain_batch(frames);
      const double ms = ms_since(begin);
      const double share = 1 / static_cast<double>(frames.size());
      for (std::size_t i = 0; i < frames.size(); ++i) {
        results.push_back(explained_by(frames[i], explanations.at(i), ms, share));
      }
      return results;
    } catch (...) {
      results.clear();  // which of them failed shows when each is explained alone
    }
  }
  for (Prepared& frame : frames) results.push_back(explain_one(stages, std::move(frame)));
  return results;
}

Explained carry_one(Prepared prepared, const MapOutcome& outcome) {
  Explained explained;
  Frame& frame = prepared.frame;
  explained.explanation = outcome.explanation;
  if (outcome.explanation) {
    // Time stamps of a source may run backwards.
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
