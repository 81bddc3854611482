#pragma once

#include "stages/explain/import/graph_builder.h"

namespace gradcam {

/// The rules for operations of OpenVINO by the name of their type, whichever operation set. What a
/// rule gives has the value that OpenVINO computes and the gradient that PyTorch would give.
const Rules& elementwise_rules();  ///< numbers that do not look at their neighbours
const Rules& window_rules();       ///< convolution, pooling
const Rules& resize_rules();       ///< interpolation, padding
const Rules& shape_rules();        ///< order and choice of numbers, without arithmetic
const Rules& gathering_rules();    ///< choice of numbers by places, which may be computed
const Rules& reduction_rules();    ///< sums, products of matrices, normalisation
const Rules& quantised_rules();    ///< rounding that a gradient passes

}  // namespace gradcam
