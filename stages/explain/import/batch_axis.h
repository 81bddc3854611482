#pragma once

#include <cstddef>
#include <optional>

#include "stages/explain/import/graph_builder.h"

namespace gradcam {

/// The dimension of the outputs of `node` that grows with the number of pictures, from those of its
/// inputs. nullopt = unknown, or none does.
std::optional<std::size_t> batch_axis_behind(GraphBuilder& b, const ov::Node& node);

}  // namespace gradcam
