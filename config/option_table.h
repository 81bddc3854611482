#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/options.h"

namespace gradcam {

/// Headings of --help, in this order.
enum class OptionGroup { kInput, kModel, kPicture, kOutput, kRun, kGeneral };

enum class Arity {
  kSwitch,  ///< yes or no; the flag takes no value
  kSingle,  ///< the last one given counts
  kList,    ///< may be given several times
};

/// A value as somebody wrote it, and where: "--opacity", "GRADCAM_OPACITY", "my.yaml:3: opacity".
struct Given {
  std::string text;
  std::string origin;
};

/// What flags, environment or file say, by option name.
using Settings = std::map<std::string, std::vector<Given>>;

/// One option, declared once: read, printed, documented and suggested from here.
struct OptionSpec {
  OptionGroup group = OptionGroup::kGeneral;
  Arity arity = Arity::kSingle;
  std::string name;                ///< the long flag without its dashes
  std::vector<std::string> flags;  ///< all of them: "-o", "--output"
  std::string negation;            ///< "--no-hud" of a switch that may be on by default
  std::string yaml_key;            ///< empty = not in the file
  std::string environment;         ///< empty = not in the environment
  std::string argument;            ///< "FILE", as shown in the help
  std::string allowed;             ///< completes "give …"
  std::string help;                ///< empty = not shown

  /// Sets the option to these values. Throws UserError(kUsage). Empty for options about the
  /// command line itself (--help, --config …), which parse_options sees to.
  std::function<void(Options&, const std::vector<Given>&)> apply;
  /// The present values as text that `apply` takes back; none = not set.
  std::function<std::vector<std::string>(const Options&)> values;
};

/// All options in the order of the help.
std::vector<OptionSpec> option_table();

/// "--hud", as messages and the help call it.
std::string long_flag(const OptionSpec& spec);

/// "origin: 'text' is not allowed; give …" as UserError(kUsage).
[[noreturn]] void refuse(const Given& given, const std::string& allowed);

}  // namespace gradcam
