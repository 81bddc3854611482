#include "stages/explain/model/device.h"

#include <ATen/Context.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <dlfcn.h>

#include <algorithm>

#include "config/user_error.h"

namespace gradcam {

namespace {

/// Whether the machine has NVIDIA's driver.
bool has_driver() {
  void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver != nullptr) dlclose(driver);
  return driver != nullptr;
}

}  // namespace

void load_cuda() {
  // Its kernels register themselves; a LibTorch for the CPU has no such library.
  static const void* const kLibrary = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
  static_cast<void>(kLibrary);
}

c10::Device parse_device(const std::string& name) {
  if (name.starts_with("cuda") || (name == "auto" && has_driver())) load_cuda();
  const bool cuda = at::hasCUDA() && c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA);
  const int count = cuda ? c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA)->deviceCount() : 0;
  if (name == "auto") return count > 0 ? c10::Device("cuda:0") : c10::Device("cpu");
  if (name == "cpu") return c10::Device("cpu");
  const bool numbered = name.rfind("cuda:", 0) == 0 && name.size() > 5 && name.size() < 8 &&
                        std::all_of(name.begin() + 5, name.end(), ::isdigit);
  if (name != "cuda" && !numbered) {
    throw UserError(ExitCode::kUsage, "--device " + name + ": allowed are auto, cpu, cuda, cuda:N");
  }
  const int index = numbered ? std::stoi(name.substr(5)) : 0;
  if (index >= count) {
    throw UserError(ExitCode::kUsage,
                    "--device " + name + ": this machine has " + std::to_string(count) +
                        " CUDA devices; allowed: auto, cpu" +
                        (count > 0 ? ", cuda:0.." + std::to_string(count - 1) : ""));
  }
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index)};
}

void settle(c10::Device device) {
  if (!device.is_cuda()) return;
  load_cuda();
  at::Context& context = at::globalContext();
  context.setBenchmarkCuDNN(true);
  context.setAllowTF32CuDNN(false);
}

at::Tensor upload(const at::Tensor& tensor, c10::Device device) {
  if (!device.is_cuda()) return tensor.to(device);
  return tensor.pin_memory().to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

}  // namespace gradcam
