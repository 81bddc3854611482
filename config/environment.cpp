#include "config/environment.h"

#include <unistd.h>

#include <string>
#include <string_view>

#include "config/redact.h"
#include "config/suggest.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

constexpr std::string_view kPrefix = "GRADCAM_";
/// Belongs to the build scripts, which run the program too.
constexpr std::string_view kBuildPreset = "GRADCAM_PRESET";

const OptionSpec& option_of(const std::string& variable, const std::vector<OptionSpec>& table) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : table) {
    if (spec.environment.empty()) continue;
    if (spec.environment == variable) return spec;
    names.push_back(spec.environment.substr(kPrefix.size()));
  }
  const std::string near =
      did_you_mean(variable.substr(kPrefix.size()), names, std::string(kPrefix));
  throw UserError(ExitCode::kUsage, "unknown variable " + quoted(variable) + " in the environment" +
                                        near + " (gradcam-live --help lists the options)");
}

}  // namespace

Environment process_environment() {
  Environment variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (text.rfind(kPrefix, 0) != 0 || equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

Settings read_environment(const Environment& environment, const std::vector<OptionSpec>& table) {
  Settings settings;
  for (const auto& [variable, value] : environment) {
    if (variable.rfind(kPrefix, 0) != 0 || variable == kBuildPreset || value.empty()) continue;
    settings[option_of(variable, table).name] = {{value, variable}};
  }
  return settings;
}

}  // namespace gradcam
