#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

#include "config/options.h"
#include "stages/explain/features.h"
#include "stages/explain/network.h"

namespace gradcam {

/// The features of a bundle in the number format that `options.precision` names; auto: the fastest
/// on this processor whose class, scores and activation agree with fp32 on `input` (float
/// [1, 3, H, W]). That is measured once for a network, processor and version and then read from
/// the bundle's cache. `head` gives the scores. Throws UserError(kUsage) for a precision that is
/// not to be had.
std::unique_ptr<Features> choose_features(
    const Bundle& bundle, const ExplainOptions& options, const at::Tensor& input,
    const std::function<at::Tensor(const std::vector<at::Tensor>&)>& head);

/// Pearson's correlation of all values.
double correlation(const at::Tensor& a, const at::Tensor& b);

}  // namespace gradcam
