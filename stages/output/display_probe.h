#pragma once

#include <optional>
#include <string>

namespace gradcam {

/// Why no window can be opened; nullopt: one can. Qt aborts the process that asks for a window in
/// vain, so this program is run as a short child that tries (at most 5 s). Also keeps Qt's own
/// warnings off the terminal, by environment variables where they are not set: call it before any
/// thread that reads the environment is started.
std::optional<std::string> display_problem();

/// First in main(): if this process is that child, tries and ends it.
void answer_display_probe(int argc, const char* const* argv);

}  // namespace gradcam
