#include "stages/explain/model/device.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "config/user_error.h"
#include "stages/explain/engines/cuda_graph.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

bool is_loaded() { return dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_NOLOAD) != nullptr; }

bool adds_on_cuda() {
  const auto add = c10::Dispatcher::singleton().findSchema({"aten::add", "Tensor"});
  return add->hasKernelForDispatchKey(c10::DispatchKey::CUDA);
}

/// In this order, in one process: what is loaded stays.
TEST(Device, CudaIsLoadedWhereItIsAskedForAndThenComplete) {
  EXPECT_TRUE(parse_device("cpu").is_cpu());
  settle(c10::kCPU);
  EXPECT_FALSE(is_loaded());
  const bool has_gpu = parse_device("auto").is_cuda();
  if (!has_gpu) {
    EXPECT_USER_ERROR(parse_device("cuda"), ExitCode::kUsage, "0 CUDA devices");
  }
  if (!is_loaded()) GTEST_SKIP() << "this LibTorch has no CUDA half";
  EXPECT_TRUE(adds_on_cuda());
  EXPECT_TRUE(c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA));
  EXPECT_EQ(has_cuda_graphs(), bool{GRADCAM_WITH_CUDA_GRAPHS});
}

}  // namespace
}  // namespace gradcam
