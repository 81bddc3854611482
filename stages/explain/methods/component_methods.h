#pragma once

#include "stages/explain/methods/methods.h"

/// Methods that need no target: what the activation itself is about.
namespace gradcam {

/// `values` [C, h, w] projected on their first principal component: X v1, where X is the [h*w, C]
/// matrix less the mean of each channel and v1 its first right singular vector. The sign is free:
/// here the value that is largest in size is positive. [h, w].
at::Tensor first_component(const at::Tensor& values);

/// EigenCAM (Muhammad and Yeasin, IJCNN 2020): first_component(A).
at::Tensor eigencam(const MethodInput& input);

/// pytorch-grad-cam's EigenGradCAM: first_component(g * A).
at::Tensor eigengradcam(const MethodInput& input);

/// KPCA-CAM (Karmani et al., 2024): the first component of kernel PCA with the sigmoid kernel
/// tanh(x . y / C + 1) on the places of A less the mean of each channel; sign as above.
at::Tensor kpcacam(const MethodInput& input);

/// FEM (Fuad et al., IPTA 2020), weights [C]: the share of places where A_c is above its mean by
/// more than two standard deviations (of all places, not of a sample).
at::Tensor fem(const MethodInput& input);

}  // namespace gradcam
