#pragma once

#include <string>
#include <vector>

#include "config/option_table.h"

namespace gradcam {

/// The command line taken apart; values are not looked at yet.
struct CommandLine {
  Command command = Command::kRun;
  std::vector<std::string> positionals;  ///< without the command
  Settings flags;
};

/// Throws UserError(kUsage): unknown flag, missing value.
CommandLine read_command_line(const std::vector<std::string>& arguments,
                              const std::vector<OptionSpec>& table);

/// "layers", as it is written.
std::string command_name(Command command);

}  // namespace gradcam
