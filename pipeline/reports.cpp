#include "pipeline/reports.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "config/method_table.h"
#include "config/named.h"
#include "config/text.h"
#include "pipeline/error_text.h"
#include "pipeline/loading_news.h"
#include "pipeline/log.h"
#include "stages/capture/cameras.h"
#include "stages/capture/source.h"
#include "stages/explain/files/file_format.h"
#include "stages/explain/graph/layers.h"
#include "stages/explain/load.h"
#include "stages/explain/model/bundle.h"
#include "stages/explain/model/model.h"
#include "stages/explain/model/write_description.h"
#include "stages/explain/tasks/task.h"
#include "stages/frame/shape_text.h"

namespace gradcam {
namespace {

/// A network file, a folder with one in it, or a bundle; a folder of pictures is none.
bool is_model(const std::string& path) {
  return is_network_file(path) || is_bundle(path) || !network_in(path).empty();
}

std::string kind_of(const std::string& path) {
  if (is_bundle(path)) return "bundle: OpenVINO up to its layer, TorchScript";
  return is_other_format(path) ? std::string(name_of_format(path)) : "TorchScript";
}

LoadedModel load_subject(const Options& options, const std::string& device,
                         const std::stop_token& stop) {
  ExplainOptions asked = options.explain;
  asked.model = options.subject;
  asked.device = device;
  LoadedModel loaded = load_model(asked, stop);
  if (!loaded.note.empty()) log::warning(loaded.note);
  return loaded;
}

/// "31.2 ms, chosen"
std::string trial_text(const EngineTrial& trial) {
  if (trial.ms == 0) return outcome_text(trial);
  char text[64];
  std::snprintf(text, sizeof text, "%.2f ms, agreement %.4f, ", trial.ms, trial.agreement);
  return text + outcome_text(trial);
}

/// What the engine was measured against, and what is out:
/// " (measured 8.5 ms; torchscript fp32 31.2 ms; openvino bf16 out: agreement 0.9312)"
std::string rivals_text(const Explainer& explainer) {
  std::string chosen;
  std::string rivals;
  for (const EngineTrial& trial : explainer.engine_trials()) {
    char text[64] = "";
    if (trial.ms > 0) std::snprintf(text, sizeof text, "%.1f ms", trial.ms);
    if (trial.outcome == EngineTrial::Outcome::kChosen) {
      chosen = text;
    } else {
      rivals += "; " + trial.name + " " + (trial.ms > 0 ? text : outcome_text(trial));
    }
  }
  if (rivals.empty()) return "";
  const std::string measured = explainer.choice_file().empty() ? "measured " : "measured before: ";
  return " (" + (chosen.empty() ? rivals.substr(2) : measured + chosen + rivals) + ")";
}

void print_model(const Options& options, const std::stop_token& stop) {
  LoadingNews news(find_model(options.subject), log::info, stop);
  const LoadedModel loaded = load_subject(options, options.explain.device, stop);
  const ModelDescription& d = loaded.description;
  std::printf("model        %s\n", options.subject.c_str());
  std::printf("kind         %s\n", kind_of(find_model(options.subject)).c_str());
  if (!d.name.empty()) std::printf("name         %s\n", d.name.c_str());
  std::printf("description  %s\n", d.assumed ? "none: the defaults are assumed" : "found");
  std::printf("input        %dx%d (height x width)\n", d.input_height, d.input_width);
  std::printf("labels       %zu\n", d.labels.size());
  if (!loaded.network.has_model()) {
    std::printf("layers       1 (the bundle holds no sound model.pt for others)\n");
  } else {
    const auto layers = list_layers(loaded.network.model(), d);
    std::printf("layers       %zu (gradcam-live layers lists them)\n", layers.size());
  }
  const Explainer explainer(loaded.network, d, options.explain, Choosing::kMeasured,
                            news.waiting());
  std::printf("layer        %s\n", listed(explainer.layers()).c_str());
  std::printf("pictures     %s\n", input_as_json(explainer.description()).c_str());
  if (!explainer.note().empty()) std::printf("output       %s\n", explainer.note().c_str());
  std::printf("device       %s\n", explainer.device().c_str());
  std::printf("engine       %s\n", explainer.engine().c_str());
  for (const EngineTrial& trial : explainer.engine_trials()) {
    std::printf("  %-26s %s\n", trial.name.c_str(), trial_text(trial).c_str());
  }
  if (const std::string& file = explainer.choice_file(); !file.empty()) {
    std::printf("  remembered in %s (delete it to measure again)\n", file.c_str());
  }
}

void print_source(const Options& options, const std::stop_token& stop) {
  const auto source = open_source(options.subject, options.input, {true, stop, log::warning});
  const SourceInfo& info = source->info();
  std::printf("source     %s\n", info.name.c_str());
  std::printf("kind       %s\n", info.still ? "picture" : info.live ? "live" : "film");
  std::printf("size       %dx%d\n", info.width, info.height);
  if (info.still) return;
  if (info.frames_per_second > 0) std::printf("rate       %.3f frames/s\n", info.frames_per_second);
  if (info.duration) {
    std::printf("duration   %.3f s\n", std::chrono::duration<double>(*info.duration).count());
  }
}

void print_cameras() {
  const auto cameras = list_cameras();
  if (cameras.empty()) std::printf("no camera on this machine\n");
  for (const Camera& camera : cameras) {
    std::printf("%s  %s\n", camera.device.c_str(), camera.name.c_str());
    for (const CameraMode& mode : camera.modes) {
      std::printf("  %s %dx%d", mode.format.c_str(), mode.width, mode.height);
      if (mode.frames_per_second > 0) std::printf("  %.0f frames/s", mode.frames_per_second);
      std::printf("\n");
    }
  }
}

std::string problems(const StreamSummary& stream) {
  std::string text;
  if (stream.failed > 0) text += ", " + std::to_string(stream.failed) + " failed";
  if (stream.dropped() > 0) text += ", " + std::to_string(stream.dropped()) + " dropped";
  return text;
}

/// Of a network that nothing describes and that gives several tensors: which of them is explained.
std::string first_output_text(const ModelDescription& description) {
  if (description.outputs.size() < 2) return "";
  return "; of its outputs " + listed(description.outputs) +
         " the first is explained: output.select of a description takes another";
}

/// What makes shares of the scores: " with softmax"; nothing of the network's own shares.
std::string activation_text(const ModelDescription& description) {
  switch (description.activation) {
    case ScoreActivation::kSoftmax:
      return " with softmax";
    case ScoreActivation::kSigmoid:
      return " with sigmoid";
    case ScoreActivation::kNone:
      break;
  }
  return "";
}

}  // namespace

void print_top(const Explanation& explanation, const std::string& heading) {
  if (!heading.empty()) std::printf("%s\n", heading.c_str());
  if (explanation.top.empty()) log::info("found nothing that scores as high as --conf wants");
  for (const ClassScore& score : explanation.top) {
    const char* const label = score.label.empty() ? "-" : score.label.c_str();
    if (!explanation.is_value && is_share(score.score)) {
      std::printf("%5d  %-32s %6.2f %%\n", score.index, label, 100.0 * score.score);
    } else {
      std::printf("%5d  %-32s %8.4f\n", score.index, label, static_cast<double>(score.score));
    }
  }
  std::fflush(stdout);
}

void print_layers(const Options& options, const std::stop_token& stop) {
  const LoadingNews news(find_model(options.subject), log::info, stop);
  const LoadedModel loaded = load_subject(options, "cpu", stop);
  std::printf("%-40s %-24s %-18s %s\n", "layer", "type", "output", "cut");
  for (const Layer& layer : list_layers(loaded.network.model(), loaded.description)) {
    const std::string cut = !layer.obstacle.empty() ? "no: " + layer.obstacle
                            : layer.spatial()       ? "yes"
                                                    : "no: its output is not spatial";
    std::printf("%-40s %-24s %-18s %s\n", layer.name.c_str(), layer.type.c_str(),
                shape_text(layer.shape).c_str(), cut.c_str());
  }
}

void print_methods() {
  std::printf("%-16s %-10s %s\n", "method", "cost", "what it does");
  for (const MethodEntry& method : kMethodTable) {
    std::printf("%-16s %-10s %s\n", std::string(method.name).c_str(),
                std::string(name_of(method.cost)).c_str(), std::string(method.summary).c_str());
  }
  std::printf(
      "\ncost: frame, about a forward pass; key frame, many runs of the tail (--every, --budget);\n"
      "still, many runs of the whole network\n");
}

void print_info(const Options& options, const std::stop_token& stop) {
  if (options.subject == "cameras") {
    print_cameras();
  } else if (options.subject.empty() || is_model(options.subject)) {
    print_model(options, stop);
  } else {
    print_source(options, stop);
  }
}

void log_model(const Explainer& explainer) {
  const ModelDescription& d = explainer.description();
  const int numbers = explainer.classes();
  const bool values = task_of(d).values;
  std::string what = values ? "value" : "class";
  if (numbers != 1) what += values ? "s" : "es";
  log::info("model " + d.name + ", layer " + listed(explainer.layers()) + ", " +
            (numbers > 0 ? std::to_string(numbers) + " " + what + ", " : "") + explainer.engine() +
            " on " + explainer.device() + rivals_text(explainer));
  if (!d.labels.empty() && std::cmp_not_equal(d.labels.size(), numbers)) {
    log::warning("there are " + std::to_string(d.labels.size()) + " labels for " +
                 std::to_string(numbers) + " " + what + ": are they those of this model?");
  }
  if (!explainer.note().empty()) log::warning(explainer.note());
  if (!d.assumed) return;
  log::warning("the model has no description; assumed: " + std::to_string(d.input_height) + "x" +
               std::to_string(d.input_width) +
               " stretched, RGB, /255, ImageNet mean and std, classification" + activation_text(d) +
               first_output_text(d));
}

void report_summary(const RunSummary& summary, bool brief) {
  const std::string fatal = summary.error ? message_of(summary.error) : "";  // main() tells it
  for (const StreamSummary& stream : summary.streams) {
    if (!brief || stream.failed > 0) {
      char rates[96] = "";
      if (stream.shown > 0) {
        std::snprintf(rates, sizeof rates, "; %.1f frames/s, %.0f ms from capture to output",
                      stream.frames_per_second, stream.latency.total.p50_ms);
      }
      log::info(stream.name + ": " + std::to_string(stream.captured) + " frames in, " +
                std::to_string(stream.shown) + " shown" + problems(stream) + rates);
    }
    if (!stream.first_failure.empty() && fatal.empty()) {
      log::error(stream.name + ": " + std::to_string(stream.failed) + " of " +
                 std::to_string(stream.captured) + " frames failed, first " + stream.first_failure);
    }
    if (stream.damaged > 0) {
      log::error(stream.name + ": " + std::to_string(stream.damaged) + " of " +
                 std::to_string(stream.captured) +
                 " frames are damaged in the source, first frame " +
                 std::to_string(stream.first_damaged) + "; what they lack is guessed");
    }
    for (const std::string* problem :
         {&stream.source_error, &stream.cut_short, &stream.output_error}) {
      if (!problem->empty() && *problem != fatal) log::error(stream.name + ": " + *problem);
    }
  }
  if (!summary.stopped) return;
  const bool any = std::any_of(summary.streams.begin(), summary.streams.end(),
                               [](const StreamSummary& stream) { return stream.shown > 0; });
  log::info(any ? "stopped; what was written is complete" : "stopped before the first frame");
}

}  // namespace gradcam
