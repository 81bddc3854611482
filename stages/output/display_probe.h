#pragma once

#include <optional>
#include <string>

namespace gradcam {

/// Why no window can be opened; nullopt: one can. Qt aborts a process that cannot open its window,
/// so this program starts itself once more, and that child tries first (at most 5 s). Also silences
/// Qt's own warnings through environment variables, where they are not set: call it before any
/// thread that reads the environment is started.
std::optional<std::string> display_problem();

/// Call it first in main(). If this process is that child, it tries to open a window and ends.
void answer_display_probe(int argc, const char* const* argv);

}  // namespace gradcam
