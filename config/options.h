#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/colour.h"
#include "config/engine_table.h"
#include "config/looks.h"

namespace gradcam {

enum class Choice { kAuto, kYes, kNo };

/// What is read, and how much of it.
struct InputOptions {
  std::vector<std::string> sources;  ///< one stream each
  std::int64_t limit = 0;            ///< frames taken from each source; 0 = all
  double start_s = 0;                ///< seconds of each film skipped at its beginning
  double duration_s = 0;             ///< seconds taken from there; 0 = to the end
  int max_dim = 0;                   ///< longer side shrunk to this many pixels; 0 = never
  double max_fps = 0;                ///< most frames per second taken from each source; 0 = all
  bool loop = false;                 ///< films, pictures and folders begin again at their end
  std::optional<Colour>
      background;  ///< that transparent pictures are laid on; none: alpha is dropped
};

/// Which network is explained, and how.
struct ExplainOptions {
  std::string model;                ///< network file or bundle; empty = the default network
  std::array<int, 2> input_size{};  ///< height, width of the network's picture; 0 = its own
  std::string labels;               ///< file with labels; empty = those of the description
  std::vector<std::string> layers;  ///< empty = the description's, else chosen automatically
  std::string method = "auto";      ///< auto: as the task wants it, or a name of method_table.h
  std::string target = "auto";      ///< auto | top:K | class index | label text | of the task
  bool inside = false;              ///< heat of a box is kept inside it
  std::string reference;            ///< picture that an embedding is compared with; empty = none
  std::vector<std::string> smooth;  ///< of aug, eigen, temporal
  double hysteresis = 0;            ///< `auto` stays with a class until another leads by this much
  std::array<double, 4> region{0, 0, 1, 1};  ///< left, top, right, bottom of a segmentation's part
  int verify = 0;                            ///< every N-th frame; 0 = none
  bool guided = false;                       ///< the view asks for guided backpropagation
  double confidence = 0;  ///< least score of a box or label; 0 = the description's threshold
  Style style = Style::kGradcam;
  Normalize normalize = Normalize::kAuto;
  std::string device = "auto";  ///< auto | cpu | cuda[:N]
  EngineName engine = EngineName::kAuto;
  Precision precision = Precision::kAuto;
  int threads = 0;      ///< of the inference engine; 0 = one per core
  int batch = 0;        ///< pictures in one call of the network, when so many wait; 0 = one per
                        ///< stream, at most 4
  double budget_s = 0;  ///< engine time that a frame may cost; 0 = whatever it takes
  int every = 1;        ///< every N-th frame is explained, the others carry its map
};

/// What the picture looks like.
struct OverlayOptions {
  ViewKind view = ViewKind::kOverlay;
  Style style = Style::kGradcam;
  Colormap colormap = Colormap::kJet;
  double opacity = 0.5;  ///< 0 = picture only, 1 = heat only (notebook: weight of the added heat)
  bool hud = true;
  bool tint = false;  ///< the classes of a segmentation in colours
};

/// Where results go.
struct OutputOptions {
  std::vector<std::string> outputs;  ///< of the kinds of output_table.h
  std::string jsonl;                 ///< JSON lines; "-" = stdout, empty = none
  std::string maps;                  ///< folder of float maps; empty = none
  std::string stats;                 ///< JSON summary; empty = none
  std::string html;                  ///< page of the layers of a network; empty = none
  bool overwrite = false;
  Choice show = Choice::kAuto;    ///< a window; auto: when there is no other output
  bool mosaic = false;            ///< all streams in one window
  Choice mirror = Choice::kAuto;  ///< the window is a mirror; auto: for cameras
};

/// How the run itself goes.
struct RunOptions {
  /// yes: the newest frame counts, older ones are dropped; no: the source waits; auto: by its kind.
  Choice live = Choice::kAuto;
  int frames_in_flight = 0;  ///< per stream, between capture and output; 0 = as many as help
  int max_failures = 25;     ///< failed frames in a row that end the run
  std::string log_level = "info";
};

enum class Command { kRun, kLayers, kInfo, kBench, kMethods };

/// Everything the command line, the environment and the YAML file decide.
struct Options {
  Command command = Command::kRun;
  std::string subject;  ///< MODEL or SOURCE of `layers` and `info`; `layers` may have a source, too
  std::string config;   ///< YAML file that was read; empty = none
  InputOptions input;
  ExplainOptions explain;
  OverlayOptions overlay;
  OutputOptions output;
  RunOptions run;
};

/// Variables by name.
using Environment = std::map<std::string, std::string>;

/// Reads flags over environment (GRADCAM_…) over `--config FILE.yaml` over defaults.
/// `nullopt`: everything asked for has been printed (--help, --version, --print-config).
/// Throws UserError(kUsage) that names the option or key, the value and what is allowed.
std::optional<Options> parse_options(int argc, const char* const* argv);

/// The same with these variables instead of those of the process.
std::optional<Options> parse_options(int argc, const char* const* argv,
                                     const Environment& environment);

/// The options as YAML that `--config` reads back to the same options, without passwords of URLs.
std::string to_yaml(const Options& options);

/// What --help prints, at most 100 columns wide.
std::string help_text();

/// The table of options as README shows it.
std::string options_markdown();

}  // namespace gradcam
