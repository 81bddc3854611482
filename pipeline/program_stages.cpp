#include "pipeline/program_stages.h"

#include <utility>

#include "pipeline/log.h"
#include "pipeline/render.h"
#include "stages/explain/verify.h"

namespace gradcam {

BoundStages::BoundStages(const Options& options, LayerSwitch& network, LiveSettings& settings,
                         const Progress& progress, std::vector<BoundStream> streams)
    : options_(options),
      network_(network),
      settings_(settings),
      progress_(progress),
      streams_(std::move(streams)) {}

Stages BoundStages::stages() {
  Stages stages;
  stages.explain_start = [this] { network_.first().warm_up(); };
  stages.preprocess = [this](const Frame& frame) {
    return prepare(frame, network_.first().description(), options_.input.max_dim);
  };
  stages.explain = [this](const Prepared& prepared) { return explain(prepared); };
  stages.explain_batch = [this](const std::vector<Prepared>& frames) { return explain(frames); };
  stages.overlay = [this](const Explained& explained) { return render(explained); };
  return stages;
}

Explanation BoundStages::explain(const Prepared& prepared) {
  return explain(std::vector{prepared}).at(0);
}

std::vector<Explanation> BoundStages::explain(const std::vector<Prepared>& frames) {
  const ViewSettings settings = settings_.get();
  std::vector<const Blob*> blobs;
  blobs.reserve(frames.size());
  for (const Prepared& prepared : frames) blobs.push_back(prepared.blob.get());
  const std::lock_guard lock(one_at_a_time_);
  Question question = question_of(settings);
  for (const Prepared& prepared : frames) {
    question.memories.push_back(&streams_[static_cast<std::size_t>(prepared.frame.stream)].memory);
  }
  network_.turn_to(settings.layer);
  network_.current().take_threads();
  auto explanations = network_.explain(blobs, question);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Frame& frame = frames[i].frame;
    BoundStream& stream = streams_[static_cast<std::size_t>(frame.stream)];
    verify(explanations[i], *blobs[i], frame, question);
    if (stream.peak) stream.peak->scale(explanations[i], frame.pts);
    stream.over_time.apply(explanations[i], frame.pts);
  }
  tell_problem();
  return explanations;
}

Explanation BoundStages::explain_again(const Prepared& prepared) {
  const ViewSettings settings = settings_.get();
  const std::lock_guard lock(one_at_a_time_);
  // The frame is of the past: what the stream remembers is of use, but not to be changed by it.
  const BoundStream& stream = stream_of(prepared.frame.stream);
  StreamMemory memory = stream.memory;
  std::optional<RunningPeak> peak = stream.peak;
  Question question = question_of(settings);
  question.memories = {&memory};
  network_.turn_to(settings.layer);
  Explanation explanation = network_.explain({prepared.blob.get()}, question).at(0);
  if (peak) peak->scale(explanation, prepared.frame.pts);
  tell_problem();
  return explanation;
}

Question BoundStages::question_of(const ViewSettings& settings) const {
  Question question{settings.target, settings.method};
  question.stop = stop_;
  return question;
}

void BoundStages::tell_problem() {
  const auto problem = network_.take_problem();
  if (!problem) return;
  log::warning(*problem);
  if (tell_) tell_(*problem);
}

/// Once in N frames, if it was asked for and there is something to prove. Not every frame of a
/// stream is explained: the first one after N.
void BoundStages::verify(Explanation& explanation, const Blob& blob, const Frame& frame,
                         const Question& question) {
  constexpr double kUnmoved = 0.95;
  const int every = options_.explain.verify;
  std::int64_t& next = streams_[static_cast<std::size_t>(frame.stream)].next_verified;
  if (every == 0 || frame.seq < next || explanation.targets.empty()) return;
  next = frame.seq + every;
  explanation.faithfulness = gradcam::verify(network_.current(), blob, explanation, question);
  if (explanation.faithfulness->randomised < kUnmoved || std::exchange(warned_of_method_, true))
    return;
  log::warning("--verify: the map of method " + explanation.method +
               " hardly changes when the last layer is random: it says nothing of what the "
               "network has learnt about this class");
}

Rendered BoundStages::render(const Explained& explained) const {
  const int stream = explained.frame().stream;
  const HudText hud = hud_of(stream);
  const OverlayOptions overlay = settings_.get().overlay;
  Rendered rendered = gradcam::render(explained, hud, overlay);
  if (stream_of(stream).mirror) rendered.window = gradcam::redraw(rendered, hud, overlay, true);
  return rendered;
}

Image BoundStages::redraw(const Rendered& rendered) const {
  const int stream = rendered.frame().stream;
  return gradcam::redraw(rendered, hud_of(stream), settings_.get().overlay,
                         stream_of(stream).mirror);
}

bool BoundStages::is_final(const Explanation& explanation) const {
  const std::string layer = settings_.get().layer;
  return layer.empty() || explanation.layers == std::vector<std::string>{layer} ||
         network_.refuses(layer);
}

const BoundStream& BoundStages::stream_of(int stream) const {
  return streams_[static_cast<std::size_t>(stream)];
}

HudText BoundStages::hud_of(int stream) const {
  const Progress::Rate rate = progress_.rate(stream);
  HudText hud;
  hud.model = network_.first().description().name;
  hud.note = network_.first().description().note;
  if (streams_.size() > 1) hud.stream = stream_of(stream).name;
  hud.frames_per_second = rate.frames_per_second;
  hud.latency_p50_ms = rate.latency_p50_ms;
  hud.latency_p95_ms = rate.latency_p95_ms;
  hud.dropped = rate.dropped;
  return hud;
}

}  // namespace gradcam
