#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "config/option_table.h"
#include "config/source_table.h"
#include "config/text.h"

namespace gradcam {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kTextColumn = 34;

constexpr std::array<std::pair<OptionGroup, const char*>, 6> kHeadings = {
    {{OptionGroup::kInput, "Input"},
     {OptionGroup::kModel, "Network and explanation"},
     {OptionGroup::kPicture, "Picture"},
     {OptionGroup::kOutput, "Output"},
     {OptionGroup::kRun, "Run"},
     {OptionGroup::kGeneral, "General"}}};

constexpr const char* kBeginning =
    R"(gradcam-live shows, frame by frame, where a neural network looks.

Usage: gradcam-live [run] SOURCE... [options]   annotate sources with Grad-CAM heat maps
       gradcam-live layers MODEL [options]      list the layers that can be explained
       gradcam-live layers MODEL --html FILE [SOURCE]   show the map of each: a page
       gradcam-live info MODEL|SOURCE           what a network or a source is
       gradcam-live info cameras                the cameras of this machine
       gradcam-live methods                     list what --method takes
       gradcam-live bench [SOURCE] [options]    measure each stage; default: a test pattern

)";

constexpr const char* kEnd = R"(
The options above "General" are also keys of the --config file (max-dim: 640) and environment
variables (GRADCAM_MAX_DIM=640). Flags win over the environment, which wins over the file.

Examples
  gradcam-live drive.mp4 -o drive_cam.mp4
  gradcam-live cat.jpg -o cat_cam.png --view side-by-side --target "tiger cat"
  gradcam-live film.mp4 -o film_cam.mkv --model resnet50.pt --layer layer4 --jsonl film.jsonl
  gradcam-live 'photos/*.jpg' -o out_%05d.png --style notebook -y
  gradcam-live layers resnet50.pt

Exit codes
  0  done, also when stopped by SIGINT or SIGTERM: outputs are complete
  1  a failure inside the program
  2  bad option or configuration; no source; a layer, class or label that the network lacks
  3  a source cannot be opened or played
  4  the model file or its description cannot be used
  5  an output cannot be written, or exists and --overwrite is not given
  6  finished, but frames or one of several sources failed, or a source was cut short
)";

/// "-o, --output FILE", short flags and the name itself first.
std::string usage_of(const OptionSpec& spec) {
  std::vector<std::string> flags = spec.flags;
  const auto name = std::find(flags.begin(), flags.end(), long_flag(spec));
  const auto first_long = std::find_if(
      flags.begin(), flags.end(), [](const std::string& flag) { return flag.rfind("--", 0) == 0; });
  std::rotate(first_long, name, flags.end());
  if (!spec.negation.empty()) flags.push_back(spec.negation);
  const std::string text = listed(flags);
  return spec.argument.empty() ? text : text + " " + spec.argument;
}

std::string default_of(const OptionSpec& spec) {
  return spec.values ? listed(spec.values(Options{})) : "";
}

bool is_choice(const OptionSpec& spec) { return spec.allowed.rfind("one of ", 0) == 0; }

std::string description_of(const OptionSpec& spec) {
  std::string text = spec.help;
  if (is_choice(spec)) text += ": " + spec.allowed;
  const std::string standard = default_of(spec);
  if (spec.arity == Arity::kSwitch) return text + (standard == "true" ? " (on by default)" : "");
  return standard.empty() ? text : text + " [" + standard + "]";
}

/// Appends `text` word by word, in lines that begin at `column`; the first one stands there
/// already.
void append_wrapped(std::string& out, const std::string& text, std::size_t column) {
  std::istringstream words(text);
  std::size_t at = column;
  for (std::string word; words >> word;) {
    if (at > column && at + 1 + word.size() > kWidth) {
      out += "\n" + std::string(column, ' ');
      at = column;
    } else if (at > column) {
      out += ' ';
      ++at;
    }
    out += word;
    at += word.size();
  }
  out += '\n';
}

std::string in_cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.replace(at, 1, "\\|");
  }
  return text;
}

}  // namespace

std::string help_text() {
  const std::vector<OptionSpec> table = option_table();
  std::string out = kBeginning;
  append_wrapped(out, "SOURCE is " + known_sources(true) + ".", 0);
  for (const auto& [group, heading] : kHeadings) {
    out += std::string("\n") + heading + "\n";
    for (const OptionSpec& spec : table) {
      if (spec.group != group || spec.help.empty()) continue;
      const std::string usage = "  " + usage_of(spec);
      const bool fits = usage.size() + 2 <= kTextColumn;
      out += usage + (fits ? std::string(kTextColumn - usage.size(), ' ')
                           : "\n" + std::string(kTextColumn, ' '));
      append_wrapped(out, description_of(spec), kTextColumn);
    }
  }
  return out + kEnd;
}

std::string options_markdown() {
  std::string out = "| Option | Meaning | Allowed | Default |\n|---|---|---|---|\n";
  for (const OptionSpec& spec : option_table()) {
    if (spec.help.empty()) continue;
    const std::string standard = default_of(spec);
    const bool takes_value = spec.arity != Arity::kSwitch;
    out += "| `" + in_cell(usage_of(spec)) + "` | " + in_cell(spec.help) + " | " +
           (takes_value ? in_cell(spec.allowed) : "") + " | " +
           (standard.empty() ? "" : "`" + standard + "`") + " |\n";
  }
  return out;
}

}  // namespace gradcam
