#include "pipeline/annotate.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "config/output_table.h"
#include "config/user_error.h"
#include "pipeline/graph.h"
#include "pipeline/log.h"
#include "pipeline/program_stages.h"
#include "pipeline/progress.h"
#include "pipeline/reports.h"
#include "pipeline/settings.h"
#include "pipeline/stream_output.h"
#include "pipeline/view_refresher.h"
#include "pipeline/viewer.h"
#include "stages/capture/paced_source.h"
#include "stages/capture/source.h"
#include "stages/explain/load.h"
#include "stages/explain/model/torch_threads.h"
#include "stages/output/display_probe.h"
#include "stages/output/jsonl_sink.h"
#include "stages/output/sink.h"
#include "stages/output/source_guard.h"
#include "stages/output/window.h"

namespace gradcam {
namespace {

constexpr int kLiveFramesInFlight = 2;

int cores() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool writes_anything(const OutputOptions& output) { return !asked_outputs(output).empty(); }

}  // namespace

struct Annotation::Parts {
  explicit Parts(const Options& asked) : options(asked) {}

  const Options options;
  bool window = false;
  bool all_stills = false;
  std::vector<SourceInfo> infos;
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<std::shared_ptr<Playback>> playbacks;  ///< of the sources that can be paused
  std::vector<std::unique_ptr<StreamOutput>> outputs;

  void open_sources(const std::stop_token& stop);
  void open_outputs();
  void decide_window(const std::optional<std::string>& display_problem);
  bool only_watched() const { return window && !writes_anything(options.output); }
  bool is_live(const SourceInfo& info) const;
  bool is_mirror(const SourceInfo& info) const;
  bool is_measured_over_time(const SourceInfo& info) const;
  std::vector<std::string> names() const;
  std::vector<StreamState> stream_states() const;
  std::vector<Stream> streams(Progress& progress, Viewer* viewer, int batch);
  RunSummary run(ProgramStages& program, Progress& progress, Viewer* viewer,
                 const std::stop_token& stop);
  RunSummary run_in_window(ProgramStages& program, Progress& progress, LayerSwitch& explainers,
                           LiveSettings& settings, const std::stop_token& stop);
};

bool Annotation::Parts::is_live(const SourceInfo& info) const {
  return options.run.live == Choice::kAuto ? info.live : options.run.live == Choice::kYes;
}

bool Annotation::Parts::is_mirror(const SourceInfo& info) const {
  const Choice mirror = options.output.mirror;
  return window && (mirror == Choice::kAuto ? info.camera : mirror == Choice::kYes);
}

/// Short ones, as JSON lines have them.
std::vector<std::string> Annotation::Parts::names() const {
  std::vector<std::string> names;
  names.reserve(infos.size());
  const int count = static_cast<int>(infos.size());
  for (int i = 0; i < count; ++i) {
    names.push_back(stream_name(infos[static_cast<std::size_t>(i)], i, count));
  }
  return names;
}

bool Annotation::Parts::is_measured_over_time(const SourceInfo& info) const {
  const ExplainOptions& explain = options.explain;
  if (explain.normalize != Normalize::kAuto) return explain.normalize == Normalize::kRunning;
  return explain.style == Style::kGradcam && is_live(info);
}

std::vector<StreamState> Annotation::Parts::stream_states() const {
  std::vector<StreamState> streams;
  for (const std::string& name : names()) {
    StreamState& stream = streams.emplace_back();
    stream.name = name;
    stream.mirror = is_mirror(infos[streams.size() - 1]);
    if (is_measured_over_time(infos[streams.size() - 1])) stream.peak.emplace();
    const auto& smooth = options.explain.smooth;
    stream.over_time = OverTime(std::count(smooth.begin(), smooth.end(), "temporal") > 0);
  }
  return streams;
}

/// Films are played at their own speed where somebody watches or the run is to be like a live one.
void Annotation::Parts::open_sources(const std::stop_token& stop) {
  for (const std::string& text : options.input.sources) {
    auto source =
        open_source(text, options.input, {options.run.live != Choice::kNo, stop, log::warning});
    const SourceInfo info = source->info();
    if (!info.live && !info.still && (only_watched() || is_live(info))) {
      auto playback = std::make_shared<Playback>();
      source = paced(std::move(source), playback);
      if (only_watched()) playbacks.push_back(std::move(playback));
    }
    infos.push_back(info);
    sources.push_back(std::move(source));
  }
  all_stills = std::all_of(infos.begin(), infos.end(), [](const auto& i) { return i.still; });
}

void Annotation::Parts::decide_window(const std::optional<std::string>& display_problem) {
  if (!window || !display_problem) return;
  const std::string problem = "no window: " + *display_problem;
  const bool asked_for = options.output.show == Choice::kYes;
  if (!writes_anything(options.output) && (!all_stills || asked_for)) {
    throw UserError(ExitCode::kOutput, problem + "; give another output: -o FILE (" +
                                           output_forms() + "), --jsonl, --maps or --stats");
  }
  if (asked_for) log::warning(problem + "; the other outputs go on");
  window = false;
}

void Annotation::Parts::open_outputs() {
  const int count = static_cast<int>(infos.size());
  std::vector<std::filesystem::path> others = files_read(options.explain);
  if (!options.config.empty()) others.emplace_back(options.config);
  require_apart(options.output, infos, others);
  for (int i = 0; i < count; ++i) {
    const SourceInfo& info = infos[static_cast<std::size_t>(i)];
    const bool print_top = info.still && !uses_standard_output(options.output);
    SourceInfo written = info;
    written.still = info.still || options.input.limit == 1;  // one frame of a film is a picture
    const std::string heading = count > 1 ? info.name : "";
    outputs.push_back(std::make_unique<StreamOutput>(open_sinks(options.output, written, i, count),
                                                     StreamOutput::Top{print_top, heading}));
  }
}

std::vector<Stream> Annotation::Parts::streams(Progress& progress, Viewer* viewer, int batch) {
  std::vector<Stream> streams;
  const int count = static_cast<int>(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    Stream& stream = streams.emplace_back();
    StreamOutput* const output = outputs[i].get();
    stream.live = is_live(infos[i]);
    stream.source = std::move(sources[i]);
    stream.output = [output, &progress](const Rendered& frame) {
      output->write(frame);
      progress.shown(frame);
    };
    if (viewer != nullptr) stream.show = [viewer](const Rendered& frame) { viewer->post(frame); };
    stream.finish = [output] { output->finish(); };
    // Who only watches a film with a budget wants it to run smoothly.
    stream.carries_newest = only_watched() && options.explain.budget_s > 0;
    stream.limit = options.input.limit;
    stream.frames_in_flight = options.run.frames_in_flight;
    if (stream.frames_in_flight == 0) {
      stream.frames_in_flight =
          stream.live ? kLiveFramesInFlight : film_frames_in_flight(cores(), batch, count);
    }
  }
  return streams;
}

RunSummary Annotation::Parts::run(ProgramStages& program, Progress& progress, Viewer* viewer,
                                  const std::stop_token& stop) {
  GraphOptions graph;
  graph.batch = program.batch();
  graph.every = options.explain.every;
  graph.budget_ms = 1000 * options.explain.budget_s;
  graph.max_failures = options.run.max_failures;
  program.give_up_at(stop);
  if (all_stills) program.start_cold();
  return run_graph(streams(progress, viewer, graph.batch), program.stages(), graph, stop);
}

/// The window belongs to this thread, main; the graph waits on another.
RunSummary Annotation::Parts::run_in_window(ProgramStages& program, Progress& progress,
                                            LayerSwitch& explainers, LiveSettings& settings,
                                            const std::stop_token& stop) {
  ViewerHooks hooks;
  hooks.redraw = [&](const Rendered& shown) { return program.redraw(shown); };
  hooks.layers = [&] { return explainers.layers(); };
  hooks.methods = explainers.methods();
  hooks.set_paused = [this](bool paused) {
    for (const auto& playback : playbacks) playback->set_paused(paused);
  };
  hooks.step = [this] {
    for (const auto& playback : playbacks) playback->step();
  };
  ViewRefresher* refresher = nullptr;
  hooks.explain_again = [&refresher](const Rendered& shown) { refresher->ask(shown); };

  RunSummary summary;
  hooks.display_gone = [&](bool complete) {
    progress.finish();
    if (complete) report_summary(summary, all_stills);
    log::error(complete ? "the display is gone; the other outputs are complete, but for --stats"
                        : "the display is gone, and the other outputs could not be completed");
    return static_cast<int>(ExitCode::kOutput);
  };

  HighguiScreen screen;
  ViewerOptions viewer_options;
  viewer_options.mosaic = options.output.mosaic;
  Viewer viewer(names(), settings, screen, hooks, viewer_options);
  ViewRefresher view_refresher(
      {[&](const Prepared& prepared) {
         compute_alone();
         return program.explain_again(prepared);
       },
       [&](const Explained& explained) { return program.render(explained); },
       [&](const Rendered& view) { viewer.post_again(view); },
       [&](const Explanation& explanation) { return program.is_final(explanation); }});
  program.tell_also([&viewer](std::string problem) { viewer.tell(std::move(problem)); });
  refresher = &view_refresher;

  viewer.run(
      [&](const std::stop_token& end) {
        summary = run(program, progress, &viewer, end);
        return all_stills && !summary.error && !summary.stopped;
      },
      stop);
  return summary;
}

Annotation::Annotation(const Options& options, const std::stop_token& stop)
    : parts_(std::make_unique<Parts>(options)) {
  const OutputOptions& output = options.output;
  parts_->window =
      output.show == Choice::kYes || (output.show == Choice::kAuto &&
                                      options.command == Command::kRun && !writes_anything(output));
  std::optional<std::string> problem;
  if (parts_->window) problem = display_problem();
  require_writable(output, static_cast<int>(options.input.sources.size()));
  parts_->open_sources(stop);
  if (!parts_->window && options.command == Command::kRun && !writes_anything(output) &&
      !parts_->all_stills) {
    throw UserError(ExitCode::kUsage, "no output: give -o FILE (" + output_forms() +
                                          "), --jsonl, --maps, --stats or --show");
  }
  parts_->decide_window(problem);
  parts_->open_outputs();
}

Annotation::~Annotation() = default;

RunSummary Annotation::run(LayerSwitch& explainers, const std::stop_token& stop) {
  const Options& options = parts_->options;
  log_model(explainers.first());
  if (const int most = explainers.first().batch(); options.explain.batch > most) {
    log::warning("--batch: this network takes " +
                 (most == 1 ? "one picture" : std::to_string(most) + " pictures") + " at a time");
  }
  LiveSettings settings({options.overlay, explainers.first().target(), "", "", false});
  Progress progress(parts_->infos, options.input.limit);
  ProgramStages program(options, explainers, settings, progress, parts_->stream_states());
  RunSummary summary = parts_->window
                           ? parts_->run_in_window(program, progress, explainers, settings, stop)
                           : parts_->run(program, progress, nullptr, stop);
  progress.finish();
  report_summary(summary, parts_->all_stills);
  return summary;
}

}  // namespace gradcam
