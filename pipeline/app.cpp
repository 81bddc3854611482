#include "pipeline/app.h"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <opencv2/core.hpp>
#include <thread>

#include "pipeline/bench.h"
#include "pipeline/graph.h"
#include "pipeline/log.h"
#include "pipeline/progress.h"
#include "pipeline/reports.h"
#include "stages/capture/source.h"
#include "stages/explain/load.h"
#include "stages/output/atomic_file.h"
#include "stages/output/sink.h"
#include "stages/overlay/cam_figures.h"
#include "stages/overlay/heat_on_frame.h"
#include "stages/overlay/overlay.h"
#include "stages/preprocess/preprocess.h"

namespace gradcam {
namespace {

int cores() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

Prepared preprocess(const Frame& frame, const ModelDescription& description, int max_dim) {
  Prepared prepared{frame, nullptr, {}};
  if (max_dim > 0) {
    prepared.frame.image = std::make_shared<const cv::Mat>(shrink(*frame.image, max_dim));
  }
  NetworkInput input = to_network_input(*prepared.frame.image, description);
  prepared.mapping = input.mapping;
  prepared.blob = std::make_shared<const Blob>(std::move(input.blob));
  return prepared;
}

Rendered render(const Explained& explained, const HudText& hud, const OverlayOptions& options) {
  Rendered rendered;
  rendered.explained = explained;
  cv::Mat map;
  if (explained.explanation) {
    const Blob& blob = *explained.prepared.blob;
    map = map_on_frame(explained.explanation->heat, explained.prepared.mapping,
                       cv::Size(blob.width, blob.height), options.style);
    rendered.figures = figures_of(map);
    rendered.map = std::make_shared<const cv::Mat>(map);
  }
  rendered.picture = std::make_shared<const cv::Mat>(
      draw_view(*explained.frame().image, map, explained, hud, options));
  return rendered;
}

/// All sinks of one stream as one.
class StreamOutput {
 public:
  StreamOutput(std::vector<std::unique_ptr<Sink>> sinks, bool print_top, Progress* progress)
      : sinks_(std::move(sinks)), print_top_(print_top), progress_(progress) {}

  void write(const Rendered& frame) {
    for (const auto& sink : sinks_) sink->write(frame);
    if (print_top_ && frame.explained.explanation) print_top(*frame.explained.explanation);
    progress_->shown(frame);
  }

  /// Every sink is finished even if one cannot be: what the others hold is not to be lost.
  void finish() {
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

 private:
  std::vector<std::unique_ptr<Sink>> sinks_;
  bool print_top_;
  Progress* progress_;
};

std::vector<std::unique_ptr<Source>> open_sources(const InputOptions& input) {
  std::vector<std::unique_ptr<Source>> sources;
  for (const std::string& text : input.sources) sources.push_back(open_source(text, input));
  return sources;
}

void require_output(const Options& options, bool all_stills) {
  const OutputOptions& output = options.output;
  const bool any = !output.outputs.empty() || !output.jsonl.empty() || !output.maps.empty() ||
                   !output.stats.empty();
  if (any || all_stills) return;
  throw UserError(ExitCode::kUsage,
                  "no output: give -o FILE (.mp4, .mkv, .png, .jpg, out_%05d.png, null), --jsonl, "
                  "--maps or --stats");
}

Stages bind_stages(const Options& options, Explainer& explainer, const HudText& hud,
                   const Progress& progress) {
  Stages stages;
  stages.explain_start = [&explainer] { explainer.warm_up(); };
  stages.preprocess = [&explainer, max_dim = options.input.max_dim](const Frame& frame) {
    return preprocess(frame, explainer.description(), max_dim);
  };
  stages.explain = [&explainer](const Prepared& prepared) {
    return explainer.explain(*prepared.blob);
  };
  stages.overlay = [&options, &progress, hud](const Explained& explained) {
    HudText text = hud;
    const auto rate = progress.rate(explained.frame().stream);
    text.frames_per_second = rate.frames_per_second;
    text.latency_ms = rate.latency_ms;
    text.stream = progress.several() ? progress.name(explained.frame().stream) : "";
    return render(explained, text, options.overlay);
  };
  return stages;
}

/// What `run` and `bench` share: all sources through the graph to their end.
RunSummary annotate(const Options& options, Explainer& explainer, const std::stop_token& stop) {
  auto sources = open_sources(options.input);
  const int count = static_cast<int>(sources.size());
  const bool all_stills = std::all_of(sources.begin(), sources.end(),
                                      [](const auto& source) { return source->info().still; });
  if (options.command == Command::kRun) require_output(options, all_stills);

  std::vector<SourceInfo> infos;
  for (const auto& source : sources) infos.push_back(source->info());
  Progress progress(infos, options.input.limit);
  std::vector<std::unique_ptr<StreamOutput>> outputs;
  std::vector<Stream> streams;
  for (int i = 0; i < count; ++i) {
    const auto& info = infos[static_cast<std::size_t>(i)];
    const bool print_top = info.still && options.output.jsonl != "-";
    outputs.push_back(std::make_unique<StreamOutput>(open_sinks(options.output, info, i, count),
                                                     print_top, &progress));
    StreamOutput* const output = outputs.back().get();
    streams.push_back({std::move(sources[static_cast<std::size_t>(i)]),
                       [output](const Rendered& frame) { output->write(frame); },
                       [output] { output->finish(); }, options.input.limit});
  }

  HudText hud;
  hud.model = explainer.description().name;
  GraphOptions graph;
  graph.frames_in_flight =
      options.run.frames_in_flight > 0 ? options.run.frames_in_flight : cores() + 2;
  graph.max_failures = options.run.max_failures;
  RunSummary summary =
      run_graph(std::move(streams), bind_stages(options, explainer, hud, progress), graph, stop);

  progress.finish();
  report_summary(summary, all_stills);
  return summary;
}

ExitCode run(const Options& options, const std::stop_token& stop) {
  check_file_output(options.output.stats, "--stats", options.output.overwrite);
  auto explainer = load_explainer(options.explain);
  log_model(*explainer);
  const RunSummary summary = annotate(options, *explainer, stop);
  if (!options.output.stats.empty()) write_file(options.output.stats, to_json(summary) + "\n");
  if (summary.error) std::rethrow_exception(summary.error);
  return exit_code(summary);
}

/// Times the engine alone, then the whole pipeline (on the test pattern if no source is given).
ExitCode bench(const Options& asked, const std::stop_token& stop) {
  Options options = asked;
  if (options.input.sources.empty()) options.input.sources = {"test"};
  if (options.input.limit == 0) options.input.limit = 200;
  check_file_output(options.output.stats, "--stats", options.output.overwrite);
  auto explainer = load_explainer(options.explain);
  log_model(*explainer);
  const EngineTimes engine = time_engine(*explainer, stop);
  const RunSummary summary = annotate(options, *explainer, stop);
  print_bench(engine, summary);
  if (!options.output.stats.empty()) {
    write_file(options.output.stats, bench_json(engine, summary) + "\n");
  }
  if (summary.error) std::rethrow_exception(summary.error);
  return exit_code(summary);
}

}  // namespace

ExitCode run_app(const Options& options, const std::stop_token& stop) {
  log::set_level(options.run.log_level);
  // One arena for all stages but explain; OpenCV's own threads would only fight it and the engine.
  const tbb::global_control arena(tbb::global_control::max_allowed_parallelism,
                                  static_cast<std::size_t>(cores()));
  cv::setNumThreads(1);
  switch (options.command) {
    case Command::kRun:
      return run(options, stop);
    case Command::kLayers:
      print_layers(options);
      return ExitCode::kDone;
    case Command::kInfo:
      print_info(options);
      return ExitCode::kDone;
    case Command::kBench:
      return bench(options, stop);
  }
  return ExitCode::kInternal;
}

}  // namespace gradcam
