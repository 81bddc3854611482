#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <string>

namespace gradcam {

/// `cpu`, `cuda`, `cuda:1`, or `auto` (the first CUDA device if there is one that works, else the
/// CPU). Throws UserError(kUsage) for anything else, and for a CUDA device that is not there. Loads
/// CUDA where that may be needed.
c10::Device parse_device(const std::string& name);

/// Loads the CUDA half of LibTorch into the process, where it has one; once. The program is not
/// linked to it: it takes a third of a second and 250 MB. To be called before anything asks
/// LibTorch for CUDA. Any thread.
void load_cuda();

/// Sets how LibTorch computes on a CUDA device, for the whole process: cuDNN tries its algorithms
/// on each shape and keeps the quickest, and fp32 is fp32, not TF32, which PyTorch takes by itself.
/// On the CPU there is nothing to set. Calls load_cuda().
void settle(c10::Device device);

/// A copy of a CPU tensor (not pinned) on `device`, with the same strides. Does not wait for a CUDA
/// device: the copy starts from pinned memory of LibTorch's pool. The tensor itself may change as
/// soon as this returns.
at::Tensor upload(const at::Tensor& tensor, c10::Device device);

}  // namespace gradcam
