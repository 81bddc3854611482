#include "stages/explain/model/device.h"

#include <ATen/Context.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <algorithm>

#include "config/user_error.h"

namespace gradcam {

c10::Device parse_device(const std::string& name) {
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
  at::Context& context = at::globalContext();
  context.setBenchmarkCuDNN(true);
  context.setAllowTF32CuDNN(false);
}

at::Tensor upload(const at::Tensor& tensor, c10::Device device) {
  if (!device.is_cuda()) return tensor.to(device);
  return tensor.pin_memory().to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

}  // namespace gradcam
