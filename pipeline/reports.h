#pragma once

#include <stop_token>

#include "config/options.h"
#include "pipeline/summary.h"
#include "stages/explain/explainer.h"

/// What the program tells its user in text.
namespace gradcam {

/// To stdout: the five best classes or boxes of a still, one line each: index, label, per cent. Of
/// none the log says so.
void print_top(const Explanation& explanation, const std::string& heading = "");

/// To stdout: name, type and output shape of each layer of a model. Throws Stopped.
void print_layers(const Options& options, const std::stop_token& stop = {});

/// To stdout: the methods, what each costs and does.
void print_methods();

/// To stdout: what is known of a model, a source or the `cameras`. `stop` ends a wait for a source;
/// while a model is loaded, Stopped is thrown.
void print_info(const Options& options, const std::stop_token& stop = {});

/// To the log: which network, layer and device a run uses, and what was assumed of it.
void log_model(const Explainer& explainer);

/// To the log: what a run did, stream by stream, and what went wrong.
void report_summary(const RunSummary& summary, bool brief);

}  // namespace gradcam
