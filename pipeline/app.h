#pragma once

#include <stop_token>

#include "config/options.h"
#include "config/user_error.h"

namespace gradcam {

/// Does what the options ask for: binds sources, stages and sinks to the graph and runs it, or
/// prints what `layers`, `info` and `bench` print. Results go to files or stdout, logs to stderr.
/// `stop`: ends a run early, outputs finished. Throws UserError for what the user can put right.
ExitCode run_app(const Options& options, const std::stop_token& stop);

}  // namespace gradcam
