#include "stages/explain/model/model.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <filesystem>

#include "config/user_error.h"
#include "stages/explain/model/device.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/explain/model/torch_threads.h"

namespace gradcam {
namespace {

torch::jit::Module load(const std::string& path, c10::Device device, std::string& description) {
  require_model_file(path);
  compute_alone();
  torch::jit::ExtraFilesMap extra{{"gradcam.json", ""}};
  try {
    auto module = torch::jit::load(path, device, extra);
    description = extra["gradcam.json"];
    return module;
  } catch (const std::exception& error) {
    const std::string reason = torch_reason(error.what());
    if (reason.find("torchvision::") != std::string::npos) {
      throw UserError(ExitCode::kModel, "model '" + path +
                                            "': holds torchvision:: operators, which are not in "
                                            "LibTorch: export the network without them (no NMS)");
    }
    throw UserError(ExitCode::kModel, "model '" + path +
                                          "': not a TorchScript file (torch.jit.save, or "
                                          "scripts/export_model.py): " +
                                          reason);
  }
}

}  // namespace

void require_model_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_regular_file(status)) return;
  const bool missing = status.type() == std::filesystem::file_type::not_found;
  throw UserError(ExitCode::kModel, "model '" + path + "': " +
                                        (missing || !error ? "no such file" : error.message()) +
                                        " (a TorchScript .pt)");
}

Model::Model(const std::string& path, c10::Device device) : path_(path), device_(device) {
  settle(device);
  auto module = load(path, device, embedded_description_);
  if (!module.find_method("forward")) {
    throw UserError(ExitCode::kModel, "model '" + path + "': has no forward");
  }
  module.eval();
  for (at::Tensor parameter : module.parameters()) {
    parameter.set_requires_grad(false);
    if (parameter.dim() == 4)
      parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
  module_ = std::make_shared<const torch::jit::Module>(std::move(module));
}

}  // namespace gradcam
