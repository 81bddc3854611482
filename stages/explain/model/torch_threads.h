#pragma once

namespace gradcam {

/// Has LibTorch compute on the calling thread alone. Call it on every thread but the inference
/// thread before LibTorch computes there. Without it that thread brings up an OpenMP team of its
/// own. As soon as there are more OpenMP threads than cores, libgomp lets all teams sleep between
/// the layers of a network instead of spin: a ResNet-50 on two cores then takes 140 ms, not 70.
void compute_alone();

}  // namespace gradcam
