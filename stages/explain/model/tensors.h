#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "stages/frame/blob.h"
#include "stages/frame/description.h"
#include "stages/frame/explanation.h"

/// From pictures to tensors, and from tensors to plain numbers.
namespace gradcam {

/// Pictures as one tensor u8 [N, H, W, channels]. Of one picture it is a view, which must not
/// outlive it. Throws std::runtime_error for a picture that has not the size or channels of the
/// network's input.
at::Tensor pixels_of(const std::vector<const Blob*>& blobs, const ModelDescription& description);

/// A tensor [h, w] of any device and number format as a map.
HeatMap to_map(const at::Tensor& tensor);

/// Pearson's correlation of all values, whatever their shape. If one of the two is constant (or a
/// single value): 1 if they differ by less than 2 %, as number formats below fp32 round, else 0.
double correlation(const at::Tensor& a, const at::Tensor& b);

/// The n-th row of a map.
std::span<const float> row_of(const HeatMap& rows, std::size_t n);

}  // namespace gradcam
