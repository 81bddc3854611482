#pragma once

#include <cstddef>
#include <optional>

#include "stages/explain/import/graph_builder.h"

namespace gradcam {

/// Files spell in two operations what is one layer of PyTorch: a bias is an addition of its own, a
/// SiLU a product with a sigmoid. They are put together again: FullGrad, guided views and the
/// linear layer at a network's end look for PyTorch's form, and it is faster to differentiate.

/// Of an addition that is the bias of a convolution or of a product with a matrix: the input that
/// comes from there. Nothing else takes that input.
std::optional<std::size_t> input_without_bias(GraphBuilder& b, const ov::Node& addition);

/// Whether the node gives its input `i` as it is: of a Gemm, whose alpha and beta are 1.
bool multiplies_by_one(GraphBuilder& b, const ov::Node& node, std::size_t i);

/// Of a product x * sigmoid(x): the input that is x. Nothing else takes the sigmoid.
std::optional<std::size_t> input_of_silu(GraphBuilder& b, const ov::Node& product);

/// Whether the result of this operation is half of a layer.
bool is_half_of_layer(GraphBuilder& b, const ov::Node& node);

}  // namespace gradcam
