#include "stages/explain/model/model.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/serialization/import.h>

#include <filesystem>

#include "config/user_error.h"
#include "stages/explain/model/device.h"
#include "stages/explain/model/inference_form.h"
#include "stages/explain/model/memory_layout.h"
#include "stages/explain/model/module_graphs.h"
#include "stages/explain/model/picture_channels.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/explain/model/torch_threads.h"

namespace gradcam {
namespace {

constexpr const char* kDescription = "gradcam.json";
constexpr const char* kUltralytics = "config.txt";

/// What LibTorch would write to the terminal in front of what the program says.
class NoWarnings : public c10::WarningHandler {
 public:
  void process(const c10::Warning& /*warning*/) override {}
};

/// `extra`: what is wanted of the file besides, by name.
torch::jit::Module load(const std::string& path, c10::Device device,
                        torch::jit::ExtraFilesMap& extra) {
  require_model_file(path);
  compute_alone();
  NoWarnings none;
  const c10::WarningUtils::WarningHandlerGuard guard(&none);
  try {
    return torch::jit::load(path, device, extra);
  } catch (const std::exception& error) {
    const std::string reason = torch_reason(error.what());
    if (reason.find("torchvision::") != std::string::npos) {
      throw UserError(ExitCode::kModel, "model '" + path +
                                            "': holds torchvision:: operators, which are not in "
                                            "LibTorch: export the network without them (no NMS)");
    }
    // LibTorch writes its constants of oneDNN and reads none.
    if (reason.find("required keyword attribute 'value' is undefined") != std::string::npos) {
      throw UserError(ExitCode::kModel, "model '" + path +
                                            "': was saved after torch.jit.optimize_for_inference, "
                                            "and LibTorch cannot load that: save it before");
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
                                        (missing || !error ? "no such file" : error.message()));
}

Model::Model(const std::string& path, c10::Device device) : path_(path), device_(device) {
  settle(device);
  torch::jit::ExtraFilesMap extra{{kDescription, ""}, {kUltralytics, ""}};
  auto module = load(path, device, extra);
  embedded_description_ = extra[kDescription];
  ultralytics_config_ = extra[kUltralytics];
  keep(std::move(module));
}

Model::Model(const std::string& path, c10::Device device, torch::jit::Module module,
             std::shared_ptr<const ov::Model> source, bool is_quantised)
    : path_(path), device_(device), source_(std::move(source)), is_quantised_(is_quantised) {
  settle(device);
  compute_alone();
  keep(std::move(module));
}

void Model::keep(torch::jit::Module module) {
  if (!module.find_method("forward")) {
    throw UserError(ExitCode::kModel, "model '" + path_ + "': has no forward");
  }
  module.eval();
  for (at::Tensor parameter : module.parameters()) parameter.set_requires_grad(false);
  fill_defaults(module);
  const auto graphs = graphs_of(module);
  make_fp32(module, graphs);
  left_in_training_ = leave_training(graphs);
  bring_in_order(module, graphs);
  module_ = std::make_shared<const torch::jit::Module>(std::move(module));
}

/// The memory order that is fastest, or where the code asks for it PyTorch's own.
void Model::bring_in_order(const torch::jit::Module& module,
                           const std::vector<ModuleGraph>& graphs) {
  const auto forward = module.get_method("forward").graph();
  if (forward->inputs().size() < 2) return;  // takes no picture: refused when it is cut
  const auto inlined = forward->copy();
  torch::jit::Inline(*inlined);
  picture_channels_ = channels_of_picture(*inlined, module);
  if (!runs_channels_last(inlined)) return begin_contiguous(*forward);
  views_may_copy(graphs);
  for (at::Tensor parameter : module.parameters()) {
    if (parameter.dim() == 4)
      parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

}  // namespace gradcam
