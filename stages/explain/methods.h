#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace gradcam {

/// A method turns the activation A and the gradient g = dS/dA of one target layer, both float
/// [C, h, w], into a map [h, w] that may be negative. Pure functions; any thread.

/// Grad-CAM (Selvaraju et al., ICCV 2017): sum over c of mean(g_c) * A_c.
at::Tensor gradcam(const at::Tensor& activation, const at::Tensor& gradient);

using CamMethod = at::Tensor (*)(const at::Tensor& activation, const at::Tensor& gradient);

/// By the name of `--method`. Throws UserError(kUsage) that lists the names there are.
CamMethod find_method(const std::string& name);

}  // namespace gradcam
