#include "pipeline/app.h"

#include <malloc.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <opencv2/core/utility.hpp>
#include <thread>

#include "config/output_table.h"
#include "config/user_error.h"
#include "pipeline/annotate.h"
#include "pipeline/bench.h"
#include "pipeline/layers_page.h"
#include "pipeline/loading_news.h"
#include "pipeline/log.h"
#include "pipeline/reference.h"
#include "pipeline/reports.h"
#include "stages/explain/load.h"
#include "stages/frame/stopped.h"
#include "stages/output/atomic_file.h"
#include "stages/output/output_path.h"

namespace gradcam {
namespace {

/// The network of the options, ready to be explained at any of its layers.
LayerSwitch load_explainers(ExplainOptions options, std::size_t streams,
                            const std::stop_token& stop) {
  constexpr std::size_t kBatch = 4;
  if (options.batch == 0) options.batch = static_cast<int>(std::min(streams, kBatch));
  LoadingNews news(find_model(options.model), log::info, stop);
  LoadedModel loaded = load_model(options, stop);
  if (!loaded.note.empty()) log::warning(loaded.note);
  return {std::move(loaded.network), std::move(loaded.description), options, news.waiting()};
}

/// What loading the network and choosing its engine took, and is not needed any more.
void give_memory_back(const LayerSwitch& explainers) {
  explainers.let_go_of_network();
  malloc_trim(0);
}

/// What an embedding is compared with. Throws as read_reference().
void set_reference(LayerSwitch& explainers, const Options& options) {
  const auto picture = read_reference(options, explainers.first().description());
  if (picture) explainers.set_reference(*picture);
}

/// False if a stop came while a source was waited for.
bool unless_stopped(const std::function<void()>& open, const std::stop_token& stop) {
  try {
    open();
    return true;
  } catch (const UserError&) {
    if (!stop.stop_requested()) throw;
    log::info("stopped before the first frame");
    return false;
  }
}

/// Null if a stop came while a source was waited for. What needs no source is looked at before.
std::unique_ptr<Annotation> open_annotation(const Options& options, const std::stop_token& stop) {
  if (!options.output.html.empty()) {
    throw UserError(ExitCode::kUsage, "--html goes with the command 'layers' alone; leave it out");
  }
  if (!options.output.stats.empty()) {
    require_new_file(options.output.stats, options.output.overwrite);
  }
  require_model(options.explain);
  std::unique_ptr<Annotation> annotation;
  unless_stopped([&] { annotation = std::make_unique<Annotation>(options, stop); }, stop);
  return annotation;
}

ExitCode run(const Options& options, const std::stop_token& stop) {
  const auto annotation = open_annotation(options, stop);
  if (!annotation) return ExitCode::kDone;
  LayerSwitch explainers = load_explainers(options.explain, options.input.sources.size(), stop);
  give_memory_back(explainers);
  set_reference(explainers, options);
  const RunSummary summary = annotation->run(explainers, stop);
  if (!options.output.stats.empty()) write_file(options.output.stats, to_json(summary) + "\n");
  if (summary.error) std::rethrow_exception(summary.error);
  return exit_code(summary);
}

/// Times the engine alone, then the whole pipeline (on the test pattern if no source is given).
ExitCode bench(const Options& asked, const std::stop_token& stop) {
  Options options = asked;
  if (options.input.sources.empty()) options.input.sources = {"test"};
  if (options.input.limit == 0) options.input.limit = 200;
  const auto annotation = open_annotation(options, stop);
  if (!annotation) return ExitCode::kDone;
  LayerSwitch explainers = load_explainers(options.explain, options.input.sources.size(), stop);
  give_memory_back(explainers);
  set_reference(explainers, options);
  const EngineTimes engine = time_engine(explainers.first(), stop);
  const RunSummary summary = annotation->run(explainers, stop);
  print_bench(engine, summary, uses_standard_output(options.output) ? stderr : stdout);
  if (!options.output.stats.empty()) {
    write_file(options.output.stats, bench_json(engine, summary) + "\n");
  }
  if (summary.error) std::rethrow_exception(summary.error);
  return exit_code(summary);
}

ExitCode run_command(const Options& options, const std::stop_token& stop) {
  switch (options.command) {
    case Command::kRun:
      return run(options, stop);
    case Command::kLayers:
      if (options.output.html.empty()) {
        print_layers(options, stop);
      } else {
        unless_stopped([&] { write_layers_page(options, stop); }, stop);
      }
      return ExitCode::kDone;
    case Command::kInfo:
      unless_stopped([&] { print_info(options, stop); }, stop);
      return ExitCode::kDone;
    case Command::kBench:
      return bench(options, stop);
    case Command::kMethods:
      print_methods();
      return ExitCode::kDone;
  }
  return ExitCode::kInternal;
}

}  // namespace

ExitCode run_app(const Options& options, const std::stop_token& stop) {
  log::set_level(options.run.log_level);
  // One arena for all stages but explain; OpenCV's own threads would only fight it and the engine.
  const tbb::global_control arena(tbb::global_control::max_allowed_parallelism,
                                  std::max(1U, std::thread::hardware_concurrency()));
  cv::setNumThreads(1);
  ExitCode code = ExitCode::kDone;
  try {
    code = run_command(options, stop);
  } catch (const Stopped&) {  // while a network was loaded
    log::info("stopped before the first frame");
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw UserError(ExitCode::kOutput, "standard output cannot be written to the end");
  }
  return code;
}

}  // namespace gradcam
