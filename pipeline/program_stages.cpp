#include "pipeline/program_stages.h"

#include <utility>

#include "pipeline/default_stages.h"
#include "pipeline/log.h"
#include "pipeline/render.h"
#include "stages/explain/verify.h"
#include "stages/preprocess/preprocess.h"

namespace gradcam {

ProgramStages::ProgramStages(const Options& options, LayerSwitch& explainers,
                             LiveSettings& settings, const Progress& progress,
                             std::vector<StreamState> streams)
    : options_(options),
      explainers_(explainers),
      settings_(settings),
      progress_(progress),
      streams_(std::move(streams)) {}

Stages ProgramStages::stages() {
  Stages stages = default_stages(explainers_.first());
  if (starts_cold_) stages.explain_start = [this] { explainers_.first().take_threads(); };
  if (const int max_dim = options_.input.max_dim; max_dim > 0) {
    stages.preprocess = [max_dim, plain = std::move(stages.preprocess)](Frame frame) {
      frame.image = shrink(frame.image, max_dim);
      return plain(frame);
    };
  }
  stages.explain = [this](const std::vector<Prepared>& frames) { return explain(frames); };
  stages.overlay = [this](const Explained& explained) { return render(explained); };
  return stages;
}

std::vector<Explanation> ProgramStages::explain(const std::vector<Prepared>& frames) {
  const ViewSettings settings = settings_.get();
  std::vector<const Blob*> blobs;
  blobs.reserve(frames.size());
  for (const Prepared& prepared : frames) blobs.push_back(prepared.blob.get());
  const std::lock_guard lock(one_at_a_time_);
  Question question = question_of(settings);
  for (const Prepared& prepared : frames) {
    question.memories.push_back(&streams_[static_cast<std::size_t>(prepared.frame.stream)].memory);
  }
  explainers_.turn_to(settings.layer);
  explainers_.current().take_threads();
  auto explanations = explainers_.explain(blobs, question);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Frame& frame = frames[i].frame;
    StreamState& stream = streams_[static_cast<std::size_t>(frame.stream)];
    verify(explanations[i], *blobs[i], frame, question);
    if (stream.peak) stream.peak->scale(explanations[i], frame.pts);
    stream.over_time.apply(explanations[i], frame.pts);
  }
  tell_problem();
  return explanations;
}

Explanation ProgramStages::explain_again(const Prepared& prepared) {
  const ViewSettings settings = settings_.get();
  const std::lock_guard lock(one_at_a_time_);
  // The frame is of the past: it uses copies of what is remembered, and does not change that.
  const StreamState& stream = stream_of(prepared.frame.stream);
  StreamMemory memory = stream.memory;
  std::optional<RunningPeak> peak = stream.peak;
  Question question = question_of(settings);
  question.memories = {&memory};
  explainers_.turn_to(settings.layer);
  Explanation explanation = explainers_.explain({prepared.blob.get()}, question).at(0);
  if (peak) peak->scale(explanation, prepared.frame.pts);
  tell_problem();
  return explanation;
}

Question ProgramStages::question_of(const ViewSettings& settings) const {
  Question question{settings.target, settings.method};
  question.stop = stop_;
  return question;
}

void ProgramStages::tell_problem() {
  const auto problem = explainers_.take_problem();
  if (!problem) return;
  log::warning(*problem);
  if (tell_) tell_(*problem);
}

/// One in N frames, if --verify asks for it and something was explained. Since not every frame of a
/// stream is explained, it is the first explained one after N.
void ProgramStages::verify(Explanation& explanation, const Blob& blob, const Frame& frame,
                           const Question& question) {
  constexpr double kUnmoved = 0.95;
  const int every = options_.explain.verify;
  std::int64_t& next = streams_[static_cast<std::size_t>(frame.stream)].next_verified;
  if (every == 0 || frame.seq < next || explanation.targets.empty()) return;
  next = frame.seq + every;
  explanation.faithfulness = gradcam::verify(explainers_.current(), blob, explanation, question);
  if (explanation.faithfulness->randomised < kUnmoved || std::exchange(warned_of_method_, true))
    return;
  log::warning("--verify: the map of method " + explanation.method +
               " hardly changes when the last layer is random: it says nothing of what the "
               "network has learnt about this class");
}

Rendered ProgramStages::render(const Explained& explained) const {
  const int stream = explained.frame().stream;
  const HudText hud = hud_of(stream);
  const OverlayOptions overlay = settings_.get().overlay;
  Rendered rendered = gradcam::render(explained, hud, overlay);
  if (stream_of(stream).mirror) rendered.window = gradcam::redraw(rendered, hud, overlay, true);
  return rendered;
}

Picture ProgramStages::redraw(const Rendered& rendered) const {
  const int stream = rendered.frame().stream;
  return gradcam::redraw(rendered, hud_of(stream), settings_.get().overlay,
                         stream_of(stream).mirror);
}

bool ProgramStages::is_final(const Explanation& explanation) const {
  const std::string layer = settings_.get().layer;
  return layer.empty() || explanation.layers == std::vector<std::string>{layer} ||
         explainers_.refuses(layer);
}

const StreamState& ProgramStages::stream_of(int stream) const {
  return streams_[static_cast<std::size_t>(stream)];
}

HudText ProgramStages::hud_of(int stream) const {
  const Progress::Rate rate = progress_.rate(stream);
  HudText hud;
  hud.model = explainers_.first().description().name;
  hud.note = explainers_.first().description().note;
  if (streams_.size() > 1) hud.stream = stream_of(stream).name;
  hud.frames_per_second = rate.frames_per_second;
  hud.latency_p50_ms = rate.latency_p50_ms;
  hud.latency_p95_ms = rate.latency_p95_ms;
  hud.dropped = rate.dropped;
  return hud;
}

}  // namespace gradcam
