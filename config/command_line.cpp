#include "config/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <utility>

#include "config/named.h"
#include "config/redact.h"
#include "config/suggest.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

constexpr std::array kCommands = {Named{"run", Command::kRun}, Named{"layers", Command::kLayers},
                                  Named{"info", Command::kInfo}, Named{"bench", Command::kBench},
                                  Named{"methods", Command::kMethods}};

[[noreturn]] void fail(const std::string& message) { throw UserError(ExitCode::kUsage, message); }

std::vector<std::string> flags_of(const OptionSpec& spec) {
  std::vector<std::string> flags = spec.flags;
  if (!spec.negation.empty()) flags.push_back(spec.negation);
  return flags;
}

/// The option that has this flag, or nullptr.
const OptionSpec* option_of(const std::string& flag, const std::vector<OptionSpec>& table) {
  for (const OptionSpec& spec : table) {
    const std::vector<std::string> flags = flags_of(spec);
    if (std::find(flags.begin(), flags.end(), flag) != flags.end()) return &spec;
  }
  return nullptr;
}

[[noreturn]] void missing_value(const OptionSpec& spec, const std::string& found = "") {
  fail(long_flag(spec) + " needs a value" + (found.empty() ? "" : " before " + quoted(found)) +
       "; give " + spec.allowed);
}

[[noreturn]] void unknown_flag(const std::string& argument, const std::vector<OptionSpec>& table) {
  const std::string flag = argument.substr(0, argument.find('='));
  std::vector<std::string> names;
  for (const OptionSpec& spec : table) {
    if (spec.help.empty()) continue;
    for (const std::string& known : flags_of(spec)) {
      if (known.rfind("--", 0) == 0) names.push_back(known.substr(2));
    }
  }
  const std::string name = flag.substr(std::min(flag.find_first_not_of('-'), flag.size()));
  fail("unknown option " + quoted(flag) + did_you_mean(name, names, "--") +
       " (gradcam-live --help lists them)");
}

/// CLI11 would take the next argument as the value of "--labels=", and "-model" for "-m odel".
void refuse_misread_flags(const std::vector<std::string>& arguments,
                          const std::vector<OptionSpec>& table) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return;
    const std::string flag = argument.substr(0, argument.find('='));
    const bool one_dash = flag.rfind('-', 0) == 0;
    if (one_dash && option_of("-" + flag, table) != nullptr) unknown_flag(argument, table);
    const OptionSpec* const spec = option_of(flag, table);
    if (spec != nullptr && argument == flag + "=" && flag.rfind("--", 0) == 0) missing_value(*spec);
  }
}

CLI::Option* declare(CLI::App& app, const OptionSpec& spec) {
  std::string names;
  for (const std::string& flag : spec.flags) names += (names.empty() ? "" : ",") + flag;
  if (!spec.negation.empty()) names += ",!" + spec.negation;
  CLI::Option* const option =
      spec.arity == Arity::kSwitch ? app.add_flag(names) : app.add_option(names);
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

/// The texts of one option; another flag in place of a value was left without its value.
std::vector<Given> texts_of(const CLI::Option& option, const OptionSpec& spec,
                            const std::vector<OptionSpec>& table) {
  std::vector<Given> all;
  for (const std::string& text : option.results()) {
    const bool is_flag =
        text == "--" || option_of(text.substr(0, text.find('=')), table) != nullptr;
    if (spec.arity != Arity::kSwitch && is_flag) missing_value(spec, text);
    all.push_back({text, long_flag(spec)});
  }
  return all;
}

void parse(CLI::App& app, const std::vector<std::string>& arguments,
           const std::vector<OptionSpec>& table) {
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ArgumentMismatch&) {
    // Only the last argument can lack its value: "--output", "-o", or "-yo".
    const std::string& last = arguments.back();
    const OptionSpec* spec = option_of(last, table);
    if (spec == nullptr) spec = option_of(std::string("-") + last.back(), table);
    if (spec == nullptr) throw;
    missing_value(*spec);
  }
}

/// What CLI11 left over. Positionals are not declared to it, because it would split "[a,b]".
std::vector<std::string> positionals_of(const std::vector<std::string>& remaining,
                                        const std::vector<OptionSpec>& table) {
  std::vector<std::string> positionals;
  bool only_positionals = false;
  for (const std::string& text : remaining) {
    if (!only_positionals && text == "--") {
      only_positionals = true;
    } else if (!only_positionals && text.size() > 1 && text[0] == '-') {
      unknown_flag(text, table);
    } else {
      positionals.push_back(text);
    }
  }
  return positionals;
}

/// The first positional may name a command.
void take_command(CommandLine& line) {
  if (line.positionals.empty()) return;
  const auto* const command = find_named(kCommands, line.positionals[0]);
  if (command == nullptr) return;
  line.command = command->value;
  line.positionals.erase(line.positionals.begin());
}

}  // namespace

CommandLine read_command_line(const std::vector<std::string>& arguments,
                              const std::vector<OptionSpec>& table) {
  refuse_misread_flags(arguments, table);
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<std::pair<const OptionSpec*, const CLI::Option*>> declared;
  declared.reserve(table.size());
  for (const OptionSpec& spec : table) declared.emplace_back(&spec, declare(app, spec));
  parse(app, arguments, table);

  CommandLine line;
  line.positionals = positionals_of(app.remaining(), table);
  for (const auto& [spec, option] : declared) {
    if (option->count() > 0) line.flags[spec->name] = texts_of(*option, *spec, table);
  }
  take_command(line);
  return line;
}

std::string command_name(Command command) { return std::string(row_of(kCommands, command).name); }

}  // namespace gradcam
