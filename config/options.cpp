#include "config/options.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <set>
#include <string_view>
#include <utility>

#include "config/command_line.h"
#include "config/environment.h"
#include "config/option_table.h"
#include "config/output_table.h"
#include "config/redact.h"
#include "config/source_table.h"
#include "config/user_error.h"
#include "config/yaml_file.h"

namespace gradcam {
namespace {

constexpr double kNotebookOpacity = 0.4;
constexpr int kNotebookMaxDim = 1024;

[[noreturn]] void fail(const std::string& message) { throw UserError(ExitCode::kUsage, message); }

void print(const std::string& text) {
  std::cout << text << std::flush;
  if (!std::cout) throw UserError(ExitCode::kOutput, "standard output cannot be written");
}

/// Whether a switch about the command line itself is given.
bool asked_for(const CommandLine& line, const std::string& name) {
  const auto found = line.flags.find(name);
  if (found == line.flags.end()) return false;
  for (const Given& given : found->second) {
    if (given.text != "true")
      fail(given.origin + " takes no value; leave out " + quoted(given.text));
  }
  return true;
}

void apply(Options& options, const Settings& settings, const std::vector<OptionSpec>& table,
           std::set<std::string>& given) {
  for (const OptionSpec& spec : table) {
    const auto found = settings.find(spec.name);
    if (found == settings.end() || !spec.apply) continue;
    spec.apply(options, found->second);
    given.insert(spec.name);
  }
}

void add_positionals(CommandLine& line) {
  if (line.positionals.empty()) return;
  std::vector<Given> sources;
  for (const std::string& text : line.positionals) sources.push_back({text, "SOURCE"});
  std::vector<Given>& flags = line.flags["input"];
  flags.insert(flags.begin(), sources.begin(), sources.end());
}

void settle_looks(Options& options, const std::set<std::string>& given) {
  options.overlay.style = options.explain.style;
  options.explain.guided = is_guided(options.overlay.view);
  const bool measured = options.explain.normalize == Normalize::kRunning;
  if (measured && options.explain.style != Style::kGradcam) {
    fail(
        "--normalize 'running' goes with --style gradcam: notebook scales each picture by itself, "
        "captum and raw scale nothing; give frame or leave it out");
  }
  if (options.explain.style != Style::kNotebook) return;
  if (given.count("opacity") == 0) options.overlay.opacity = kNotebookOpacity;
  if (given.count("max-dim") == 0) options.input.max_dim = kNotebookMaxDim;
}

/// Two results in one file would overwrite each other.
void refuse_repeated_outputs(const OutputOptions& output) {
  std::set<std::filesystem::path> seen;
  for (const auto& [path, where] : asked_outputs(output)) {
    if (where == OutputPlace::kNowhere || where == OutputPlace::kStandardOutput) continue;
    std::error_code none;  // what is not there yet is named as it will be
    const auto place = std::filesystem::weakly_canonical(std::filesystem::absolute(path), none);
    if (!seen.insert(place).second) {
      fail("output " + quoted(path) + " is given twice; give each output a name of its own");
    }
  }
}

/// Whether the command draws and writes the page of `layers --html`.
bool makes_page(const CommandLine& line, const Options& options) {
  return line.command == Command::kLayers && !options.output.html.empty();
}

/// `info` and `methods` draw and write nothing, `layers` its page at most.
void refuse_options_without_effect(const CommandLine& line, const Options& options,
                                   const std::vector<OptionSpec>& table) {
  constexpr std::array<std::string_view, 4> kOfPage = {"html", "overwrite", "colormap", "opacity"};
  const bool layers = line.command == Command::kLayers;
  for (const OptionSpec& spec : table) {
    const bool drawn = spec.group == OptionGroup::kPicture || spec.group == OptionGroup::kOutput;
    if (!drawn || line.flags.count(spec.name) == 0) continue;
    const bool of_page = layers && std::ranges::find(kOfPage, spec.name) != kOfPage.end();
    if (of_page && makes_page(line, options)) continue;
    fail(long_flag(spec) + " has no effect on '" + command_name(line.command) +
         (of_page  ? "' without --html FILE"
          : layers ? "', which writes no more than the page of --html"
                   : "', which draws and writes nothing") +
         "; leave it out");
  }
}

/// What `layers` and `info` look at: their argument, or else what -i or -m names.
std::string subject_of(const CommandLine& line, const Options& options) {
  const bool info = line.command == Command::kInfo;
  const std::string name = command_name(line.command);
  const bool page = makes_page(line, options);
  const std::string what = info ? "MODEL, SOURCE or cameras" : "MODEL";
  const std::size_t most = page ? 2 : 1;
  if (line.positionals.size() > most) {
    fail("'" + name + "' takes one " + what + (page ? " and one SOURCE" : "") + ", but " +
         quoted(line.positionals[most]) + " is given too; leave it out");
  }
  if (!line.positionals.empty()) return line.positionals[0];
  if (info && options.input.sources.size() == 1) return options.input.sources[0];
  if (!options.explain.model.empty()) return options.explain.model;
  fail("'" + name + "' needs a " + what + "; give a TorchScript file (.pt)" +
       (info ? ", any source, or cameras" : ""));
}

/// What the page of `layers` shows the maps on.
void set_source_of_page(Options& options, const CommandLine& line) {
  if (!makes_page(line, options)) return;
  if (line.positionals.size() > 1) options.input.sources = {line.positionals[1]};
  const std::vector<std::string>& sources = options.input.sources;
  if (sources.size() > 1) {
    fail("'layers' takes one SOURCE, but " + quoted(sources[1]) + " is given too; leave it out");
  }
}

void set_subject_or_sources(Options& options, const CommandLine& line,
                            const std::vector<OptionSpec>& table) {
  const std::vector<std::string>& sources = options.input.sources;
  switch (line.command) {
    case Command::kRun:
      if (sources.empty()) fail("no source: give " + brief_sources("camera (0)"));
      break;
    case Command::kBench:
      if (sources.size() > 1) {
        fail("'bench' takes one SOURCE, but " + quoted(sources[1]) + " is given too; leave it out");
      }
      break;
    case Command::kLayers:
    case Command::kInfo:
      refuse_options_without_effect(line, options, table);
      options.subject = subject_of(line, options);
      set_source_of_page(options, line);
      break;
    case Command::kMethods:
      refuse_options_without_effect(line, options, table);
      if (!line.positionals.empty()) {
        fail("'methods' takes nothing, but " + quoted(line.positionals[0]) +
             " is given; leave it out");
      }
      break;
  }
}

/// All sources of settings, the weakest first, so that each value is checked.
Options merged(const CommandLine& line, const Environment& environment,
               const std::vector<OptionSpec>& table) {
  Options options;
  options.command = line.command;
  std::set<std::string> given;
  const Settings variables = read_environment(environment, table);
  for (const Settings* settings : {&line.flags, &variables}) {
    const auto config = settings->find("config");
    if (config == settings->end()) continue;
    options.config = config->second.back().text;
    apply(options, read_yaml_file(config->second.back(), table), table, given);
    break;
  }
  apply(options, variables, table, given);
  apply(options, line.flags, table, given);
  settle_looks(options, given);
  refuse_repeated_outputs(options.output);
  if (options.explain.every > 1 && options.explain.budget_s > 0) {
    fail("--every and --budget exclude each other: the budget finds N itself; leave one out");
  }
  return options;
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv) {
  return parse_options(argc, argv, process_environment());
}

std::optional<Options> parse_options(int argc, const char* const* argv,
                                     const Environment& environment) {
  const std::vector<OptionSpec> table = option_table();
  CommandLine line = read_command_line({argv + std::min(argc, 1), argv + argc}, table);
  const std::pair<const char*, std::string (*)()> pages[] = {
      {"help", help_text},
      {"help-markdown", options_markdown},
      {"version", [] { return std::string("gradcam-live " GRADCAM_VERSION "\n"); }}};
  for (const auto& [name, page] : pages) {
    if (!asked_for(line, name)) continue;
    print(page());
    return std::nullopt;
  }
  if (line.command == Command::kRun || line.command == Command::kBench) add_positionals(line);
  Options options = merged(line, environment, table);
  if (asked_for(line, "print-config")) {
    print(to_yaml(options));
    return std::nullopt;
  }
  set_subject_or_sources(options, line, table);
  return options;
}

}  // namespace gradcam
