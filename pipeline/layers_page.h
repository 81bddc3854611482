#pragma once

#include <stop_token>

#include "config/options.h"

namespace gradcam {

/// `layers --html`: writes the page (layers_html.h) of the network that `options.subject` names,
/// each layer with its map of the first picture of the source, or of the test pattern. Throws
/// UserError; `stop` ends a wait for the source, with one, too.
void write_layers_page(const Options& options, const std::stop_token& stop = {});

}  // namespace gradcam
