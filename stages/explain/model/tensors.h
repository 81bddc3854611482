#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "stages/frame/blob.h"
#include "stages/frame/description.h"
#include "stages/frame/explanation.h"

/// From pictures to tensors, and from tensors to plain numbers.
namespace gradcam {

/// u8 [N, H, W, 3]. Of one picture a view, which must not outlive it. Throws std::runtime_error for
/// another size than the network's.
at::Tensor pixels_of(const std::vector<const Blob*>& blobs, const ModelDescription& description);

/// Of a tensor [h, w], any device and number format.
HeatMap to_map(const at::Tensor& tensor);

/// Pearson's correlation of all values, of whatever shape. Of constants, one value among them: 1 if
/// they differ by less than 2 % (formats below fp32 round), else 0.
double correlation(const at::Tensor& a, const at::Tensor& b);

/// The n-th row.
std::span<const float> row_of(const HeatMap& rows, std::size_t n);

}  // namespace gradcam
