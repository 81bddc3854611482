#pragma once

namespace gradcam {

/// Has LibTorch compute on the calling thread alone: to be called before it computes anything on a
/// thread that is not the inference thread. Else that thread brings up an OpenMP team of its own,
/// and as soon as there are more OpenMP threads than cores, libgomp lets all teams sleep between
/// the layers of a network instead of spin: a ResNet-50 on two cores then takes 140 ms, not 70.
void compute_alone();

}  // namespace gradcam
