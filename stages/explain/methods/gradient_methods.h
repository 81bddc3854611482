#pragma once

#include "stages/explain/methods/methods.h"

/// Methods whose weights are made of the gradient: w of `map = sum over c of w_c * A_c`, [C] or, at
/// each place, [C, h, w].
namespace gradcam {

/// Grad-CAM (Selvaraju et al., ICCV 2017): mean(g_c).
at::Tensor gradcam(const MethodInput& input);

/// Grad-CAM++ (Chattopadhyay et al., WACV 2018) as pytorch-grad-cam has it: the sum over places of
/// relu(g) * a, a = g^2 / (2 g^2 + sum(A_c) g^3 + 1e-6), 0 where g = 0.
at::Tensor gradcam_plus_plus(const MethodInput& input);

/// Grad-CAM++ as in the authors' program: a, where g > 0, is divided by its sum over the places of
/// its channel.
at::Tensor gradcam_plus_plus_paper(const MethodInput& input);

/// HiResCAM (Draelos and Carin, 2020): g at each place.
at::Tensor hirescam(const MethodInput& input);

/// pytorch-grad-cam's GradCAMElementWise: g where g * A > 0.
at::Tensor elementwise(const MethodInput& input);

/// XGrad-CAM (Fu et al., BMVC 2020): sum(g_c * A_c) / (sum(A_c) + 1e-7).
at::Tensor xgradcam(const MethodInput& input);

/// LayerCAM (Jiang et al., TIP 2021): relu(g) at each place.
at::Tensor layercam(const MethodInput& input);

/// ShapleyCAM (Cai, 2025): mean(g_c - H_c / 2), H the Hessian of S times A.
at::Tensor shapleycam(const MethodInput& input);

/// ODAM (Zhao and Chan, ICLR 2023), a map [h, w] of one number of a box: relu of the sum over
/// channels of g times A, g smoothed by a Gaussian of 3x3 places with sigma 1 and zeros beyond the
/// edges (the authors' program leaves that out for FCOS). The maps of the score and of the four
/// numbers of the box are each scaled to 0..1; at each place the largest counts.
at::Tensor odam(const MethodInput& input);

}  // namespace gradcam
