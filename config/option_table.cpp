#include "config/option_table.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <type_traits>
#include <utility>

#include "config/engine_table.h"
#include "config/method_table.h"
#include "config/option_values.h"
#include "config/output_table.h"
#include "config/redact.h"
#include "config/source_table.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// `flags` ends with the long flag that gives the option its name.
OptionSpec named(OptionGroup group, Arity arity, std::vector<std::string> flags,
                 std::string argument, std::string help) {
  OptionSpec spec;
  spec.group = group;
  spec.arity = arity;
  spec.name = flags.back().substr(2);
  spec.flags = std::move(flags);
  spec.argument = std::move(argument);
  spec.help = std::move(help);
  return spec;
}

void open_to_file_and_environment(OptionSpec& spec) {
  spec.yaml_key = spec.name;
  spec.environment = "GRADCAM_";
  for (const unsigned char c : spec.name) {
    spec.environment += c == '-' ? '_' : static_cast<char>(std::toupper(c));
  }
}

OptionSpec with_negation(OptionSpec spec, std::string negation) {
  spec.negation = std::move(negation);
  return spec;
}

template <class T>
T read_or_refuse(const ValueKind<T>& kind, const Given& given) {
  const auto value = kind.read(given.text);
  if (!value) refuse(given, kind.allowed);
  return *value;
}

/// Completes a spec of one value, kept in the field of Options that `field` names.
template <class T, class Field>
OptionSpec option(OptionSpec spec, const ValueKind<T>& kind, Field field) {
  using Stored = std::decay_t<decltype(field(std::declval<Options&>()))>;
  open_to_file_and_environment(spec);
  spec.allowed = kind.allowed;
  spec.apply = [kind, field](Options& options, const std::vector<Given>& given) {
    field(options) = field(Options{});
    for (const Given& one : given) field(options) = static_cast<Stored>(read_or_refuse(kind, one));
  };
  spec.values = [kind, field](const Options& options) {
    const std::string text = kind.print(static_cast<T>(field(options)));
    return text.empty() ? std::vector<std::string>{} : std::vector<std::string>{text};
  };
  return spec;
}

/// The same for a list of texts.
template <class Field>
OptionSpec list_option(OptionSpec spec, const ValueKind<std::string>& kind, Field field) {
  open_to_file_and_environment(spec);
  spec.allowed = kind.allowed;
  spec.apply = [kind, field](Options& options, const std::vector<Given>& given) {
    auto& list = field(options);
    list.clear();
    for (const Given& one : given) list.push_back(read_or_refuse(kind, one));
  };
  spec.values = [field](const Options& options) { return field(options); };
  return spec;
}

/// Layer names come separated by commas too, and "auto" stands alone.
OptionSpec layer_option() {
  const std::string allowed = "auto, or layer names separated by commas";
  OptionSpec spec = named(OptionGroup::kModel, Arity::kList, {"--layer"}, "NAME[,NAME]|auto",
                          "target layers; auto: the last one with a spatial map, of a detector the "
                          "neck's outputs. Default: those of the model's description, else auto");
  open_to_file_and_environment(spec);
  spec.allowed = allowed;
  spec.apply = [allowed](Options& options, const std::vector<Given>& given) {
    auto& layers = options.explain.layers;
    layers.clear();
    for (const Given& one : given) {
      for (std::size_t begin = 0; begin <= one.text.size();) {
        const std::size_t comma = std::min(one.text.find(',', begin), one.text.size());
        layers.push_back(one.text.substr(begin, comma - begin));
        if (layers.back().empty()) refuse(one, allowed);
        begin = comma + 1;
      }
      if (layers.size() > 1 && std::count(layers.begin(), layers.end(), "auto") > 0) {
        refuse(one, allowed);
      }
    }
  };
  spec.values = [](const Options& options) { return options.explain.layers; };
  return spec;
}

std::vector<OptionSpec> input_options() {
  const auto group = OptionGroup::kInput;
  return {
      list_option(
          named(group, Arity::kList, {"-i", "--source", "--input"}, "SOURCE",
                "the same as SOURCE without a flag, for one that is named like a command; "
                "several: one stream each"),
          text_value(brief_sources()), [](auto&& o) -> auto& { return o.input.sources; }),
      option(
          named(group, Arity::kSingle, {"--limit"}, "N",
                "frames taken from each source; 0: all (bench: 200)"),
          whole_number(1, kNoLimit, "all"), [](auto&& o) -> auto& { return o.input.limit; }),
      option(
          named(group, Arity::kSingle, {"--start"}, "TIME",
                "where to begin in each film: seconds, 250ms, 1:02:03.5"),
          seconds_value(), [](auto&& o) -> auto& { return o.input.start_s; }),
      option(
          named(group, Arity::kSingle, {"--duration"}, "TIME",
                "how much to take from there, or of a live source; 0: to the end"),
          seconds_value(), [](auto&& o) -> auto& { return o.input.duration_s; }),
      option(
          named(group, Arity::kSingle, {"--max-dim"}, "N",
                "shrink frames whose longer side is above N pixels; 0: never (style notebook: "
                "1024 unless set)"),
          whole_number(16, 65535, "never"), [](auto&& o) -> auto& { return o.input.max_dim; }),
      option(
          named(group, Arity::kSingle, {"--max-fps"}, "X",
                "most frames per second taken from each source; 0: all"),
          number(0, 1000), [](auto&& o) -> auto& { return o.input.max_fps; }),
      option(
          named(group, Arity::kSwitch, {"--loop"}, "",
                "begin films, pictures and folders again at their end"),
          yes_or_no(), [](auto&& o) -> auto& { return o.input.loop; }),
      option(
          named(group, Arity::kSingle, {"--background"}, "COLOUR",
                "what transparent pictures are laid on; default: their alpha is dropped, and the "
                "colours stored under it are seen, as networks are trained"),
          colour_value(), [](auto&& o) -> auto& { return o.input.background; }),
  };
}

std::vector<std::string> method_or_auto() {
  std::vector<std::string> names = method_names();
  names.insert(names.begin(), "auto");
  return names;
}

/// "auto, torchscript, or openvino, on the CPU"
std::string engine_notes() {
  std::string text;
  for (const EngineEntry& engine : kEngineTable) {
    if (!text.empty()) text += &engine == &kEngineTable.back() ? ", or " : ", ";
    text += engine.name;
    if (!engine.note.empty()) text.append(", ").append(engine.note);
  }
  return text;
}

/// "; fp16: on CUDA" of each number format that there is something to say of.
std::string precision_notes() {
  std::string text;
  for (const PrecisionEntry& precision : kPrecisionTable) {
    if (precision.note.empty()) continue;
    text.append("; ").append(precision.name).append(": ").append(precision.note);
  }
  return text;
}

std::vector<OptionSpec> model_options() {
  const auto group = OptionGroup::kModel;
  return {
      option(
          named(group, Arity::kSingle, {"-m", "--model"}, "MODEL",
                "network: TorchScript (.pt), ONNX, OpenVINO (.xml), TensorFlow Lite, TensorFlow, "
                "PaddlePaddle; default: the one that scripts/demo made"),
          text_value("a file (.pt, .onnx, .xml, .tflite, .pb, .pdmodel), or the folder of one"),
          [](auto&& o) -> auto& { return o.explain.model; }),
      option(
          named(group, Arity::kSingle, {"--input-size"}, "HxW",
                "height and width of the picture that the network gets; default: the file's or its "
                "description's"),
          picture_size_value(), [](auto&& o) -> auto& { return o.explain.input_size; }),
      option(
          named(group, Arity::kSingle, {"--labels"}, "FILE",
                "class names, one per line or a class-index JSON; default: those of the model's "
                "description"),
          text_value("a file with labels"), [](auto&& o) -> auto& { return o.explain.labels; }),
      layer_option(),
      option(
          named(group, Arity::kSingle, {"--method"}, "NAME",
                "how the heat map is computed (gradcam-live methods tells about each); auto: "
                "gradcam, of detectors and regressions hirescam"),
          word(method_or_auto()), [](auto&& o) -> auto& { return o.explain.method; }),
      option(
          named(
              group, Arity::kSingle, {"--target"}, "TARGET",
              "what is explained: auto (the best class), top:K, a class index or a label (index:N "
              "and label:TEXT say which of the two is meant); of a detector also box, box:ID and "
              "all, of a regression keep, up and down"),
          text_value("auto, top:K, a class index or a label"),
          [](auto&& o) -> auto& { return o.explain.target; }),
      option(
          named(group, Arity::kSingle, {"--conf"}, "X",
                "least score of a box, or of a label that counts as there; 0: as the model's "
                "description says"),
          number(0, 1), [](auto&& o) -> auto& { return o.explain.confidence; }),
      list_option(
          named(group, Arity::kList, {"--smooth"}, "NAME",
                "smoother heat: aug (mean over mirrored pictures and contrasts: six runs), eigen "
                "(first component), temporal (mean over the last frames, 200 ms late)"),
          word({"aug", "eigen", "temporal"}), [](auto&& o) -> auto& { return o.explain.smooth; }),
      option(
          named(group, Arity::kSingle, {"--hysteresis"}, "X",
                "target auto stays with a class until another leads by X in score"),
          number(0, 1), [](auto&& o) -> auto& { return o.explain.hysteresis; }),
      option(
          named(group, Arity::kSingle, {"--region"}, "L,T,R,B",
                "part of the picture over which a segmentation is explained: fractions of its "
                "width and height"),
          region_value(), [](auto&& o) -> auto& { return o.explain.region; }),
      option(
          named(
              group, Arity::kSingle, {"--verify"}, "N",
              "prove the map of every N-th frame: drop, deletion, insertion, randomised; 0: none"),
          whole_number(1, 1000000, "none"), [](auto&& o) -> auto& { return o.explain.verify; }),
      option(
          named(group, Arity::kSwitch, {"--inside-boxes"}, "",
                "the heat of a detector's box is kept inside it"),
          yes_or_no(), [](auto&& o) -> auto& { return o.explain.inside; }),
      option(
          named(group, Arity::kSingle, {"--reference"}, "PICTURE",
                "what an embedding is compared with: the likeness to it is explained"),
          text_value("a picture file"), [](auto&& o) -> auto& { return o.explain.reference; }),
      option(
          named(group, Arity::kSingle, {"--every"}, "N",
                "explain every N-th frame; those between carry the last map"),
          whole_number(1, 100000), [](auto&& o) -> auto& { return o.explain.every; }),
      option(
          named(group, Arity::kSingle, {"--budget"}, "TIME",
                "what the network may cost a frame, such as 33ms: explain only every k-th where it "
                "takes longer, all of them when it does not; 0: whatever it takes"),
          seconds_value(), [](auto&& o) -> auto& { return o.explain.budget_s; }),
      option(
          named(group, Arity::kSingle, {"--batch"}, "N",
                "frames, of all streams, that the network takes in one call when so many wait; 0: "
                "as many as there are streams, at most 4"),
          whole_number(1, 64, "as many as there are streams, at most 4"),
          [](auto&& o) -> auto& { return o.explain.batch; }),
      option(
          named(group, Arity::kSingle, {"--device"}, "DEVICE",
                "where the network runs: auto, cpu, cuda or cuda:N"),
          device_value(), [](auto&& o) -> auto& { return o.explain.device; }),
      option(
          named(group, Arity::kSingle, {"--engine"}, "NAME",
                "what runs the network: " + engine_notes()),
          one_of(kEngineTable), [](auto&& o) -> auto& { return o.explain.engine; }),
      option(
          named(group, Arity::kSingle, {"--precision"}, "NAME",
                "number format of the network" + precision_notes()),
          one_of(kPrecisionTable), [](auto&& o) -> auto& { return o.explain.precision; }),
      option(
          named(group, Arity::kSingle, {"--threads"}, "N",
                "threads of the network; 0: one per core"),
          whole_number(1, 1024, "one per core"),
          [](auto&& o) -> auto& { return o.explain.threads; }),
  };
}

std::vector<OptionSpec> picture_options() {
  const auto group = OptionGroup::kPicture;
  return {
      option(
          named(
              group, Arity::kSingle, {"--view"}, "NAME",
              "what is shown; guided-backprop and guided-gradcam (that times the heat) cost a run "
              "of the whole network back to its input: for stills"),
          one_of(kViews), [](auto&& o) -> auto& { return o.overlay.view; }),
      option(
          named(group, Arity::kSingle, {"--style"}, "NAME",
                "conventions of the heat; notebook scales it at picture size and adds it to the "
                "picture, captum keeps its sign, raw does not scale it"),
          one_of(kStyles), [](auto&& o) -> auto& { return o.explain.style; }),
      option(
          named(group, Arity::kSingle, {"--normalize"}, "NAME",
                "what the heat is measured against: frame (its own peak), running (the strongest "
                "of the last seconds), auto (running for live sources in style gradcam)"),
          one_of(kNormalizations), [](auto&& o) -> auto& { return o.explain.normalize; }),
      option(
          named(group, Arity::kSingle, {"--opacity"}, "X",
                "0: picture only, 1: heat only (style notebook: weight of the added heat, 0.4 "
                "unless set)"),
          number(0, 1), [](auto&& o) -> auto& { return o.overlay.opacity; }),
      option(
          named(group, Arity::kSingle, {"--colormap"}, "NAME", "colours of the heat"),
          one_of(kColormaps), [](auto&& o) -> auto& { return o.overlay.colormap; }),
      option(
          named(group, Arity::kSwitch, {"--tint"}, "",
                "the classes of a segmentation in colours under the heat"),
          yes_or_no(), [](auto&& o) -> auto& { return o.overlay.tint; }),
      with_negation(option(
                        named(group, Arity::kSwitch, {"--hud"}, "",
                              "rate, model, layer, target and best classes on the picture"),
                        yes_or_no(), [](auto&& o) -> auto& { return o.overlay.hud; }),
                    "--no-hud"),
  };
}

std::vector<OptionSpec> output_options() {
  const auto group = OptionGroup::kOutput;
  return {
      list_option(
          named(group, Arity::kList, {"-o", "--output"}, "FILE",
                output_kinds() + "; may be given several times"),
          text_value(allowed_outputs()), [](auto&& o) -> auto& { return o.output.outputs; }),
      option(
          named(group, Arity::kSwitch, {"-y", "--overwrite"}, "", "replace files that exist"),
          yes_or_no(), [](auto&& o) -> auto& { return o.output.overwrite; }),
      option(
          named(group, Arity::kSingle, {"--jsonl"}, "FILE",
                "one JSON object per frame; -: standard output"),
          text_value("a file, or - for standard output"),
          [](auto&& o) -> auto& { return o.output.jsonl; }),
      option(
          named(group, Arity::kSingle, {"--maps"}, "FOLDER",
                "the heat of each frame as float32 TIFF"),
          text_value("a folder"), [](auto&& o) -> auto& { return o.output.maps; }),
      option(
          named(group, Arity::kSingle, {"--stats"}, "FILE", "summary of the run as JSON"),
          text_value("a file"), [](auto&& o) -> auto& { return o.output.stats; }),
      option(
          named(group, Arity::kSingle, {"--html"}, "FILE",
                "of the command layers: a page that shows the map of every layer, to choose from"),
          text_value("a file"), [](auto&& o) -> auto& { return o.output.html; }),
      with_negation(option(
                        named(group, Arity::kSwitch, {"--show"}, "",
                              "a window; default: when there is no other output"),
                        auto_or_yes_or_no(), [](auto&& o) -> auto& { return o.output.show; }),
                    "--headless"),
      option(
          named(group, Arity::kSwitch, {"--mosaic"}, "", "all streams in one window"), yes_or_no(),
          [](auto&& o) -> auto& { return o.output.mosaic; }),
      with_negation(option(
                        named(group, Arity::kSwitch, {"--mirror"}, "",
                              "the window is a mirror; default: for cameras"),
                        auto_or_yes_or_no(), [](auto&& o) -> auto& { return o.output.mirror; }),
                    "--no-mirror"),
  };
}

std::vector<OptionSpec> run_options() {
  const auto group = OptionGroup::kRun;
  return {
      with_negation(
          option(
              named(group, Arity::kSwitch, {"--live"}, "",
                    "show the newest frame and drop what comes too fast; --every-frame: the source "
                    "waits. Default: by the kind of source"),
              auto_or_yes_or_no(), [](auto&& o) -> auto& { return o.run.live; }),
          "--every-frame"),
      option(
          named(group, Arity::kSingle, {"--frames-in-flight"}, "N",
                "frames of each stream at work at once; 0: 2 if live, else as the cores and "
                "--batch allow"),
          whole_number(1, 1024, "as the cores and --batch allow"),
          [](auto&& o) -> auto& { return o.run.frames_in_flight; }),
      option(
          named(group, Arity::kSingle, {"--max-failures"}, "N",
                "failed frames in a row that end the run"),
          whole_number(1, 1000000), [](auto&& o) -> auto& { return o.run.max_failures; }),
      option(
          named(group, Arity::kSingle, {"--log-level"}, "NAME", "how much is said on stderr"),
          word({"error", "warning", "info", "debug"}),
          [](auto&& o) -> auto& { return o.run.log_level; }),
  };
}

/// About the command line itself: parse_options sees to them.
std::vector<OptionSpec> general_options() {
  const auto group = OptionGroup::kGeneral;
  OptionSpec config = named(group, Arity::kSingle, {"--config"}, "FILE",
                            "YAML file with the names of these options as keys");
  config.allowed = "a YAML file";
  config.environment = "GRADCAM_CONFIG";
  return {std::move(config),
          named(group, Arity::kSwitch, {"--print-config"}, "",
                "print the merged options as YAML and end"),
          named(group, Arity::kSwitch, {"-h", "--help"}, "", "print this and end"),
          named(group, Arity::kSwitch, {"--version"}, "", "print the version and end"),
          named(group, Arity::kSwitch, {"--help-markdown"}, "", "")};
}

}  // namespace

std::vector<OptionSpec> option_table() {
  std::vector<OptionSpec> table;
  for (auto part : {input_options, model_options, picture_options, output_options, run_options,
                    general_options}) {
    for (OptionSpec& spec : part()) table.push_back(std::move(spec));
  }
  return table;
}

std::string long_flag(const OptionSpec& spec) { return "--" + spec.name; }

void refuse(const Given& given, const std::string& allowed) {
  throw UserError(ExitCode::kUsage,
                  given.origin + ": " + quoted(given.text) + " is not allowed; give " + allowed);
}

}  // namespace gradcam
