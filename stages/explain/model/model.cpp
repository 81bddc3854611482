#include "stages/explain/model.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "config/user_error.h"
#include "stages/explain/device.h"
#include "stages/explain/graph_marks.h"
#include "stages/explain/torch_reason.h"
#include "stages/explain/torch_threads.h"

namespace gradcam {
namespace {

std::string class_name(const torch::jit::Module& module) {
  const auto name = module.type()->name();
  return name ? name->name() : std::string("Module");
}

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

std::vector<Layer> list_layers(const Model& model, int height, int width) {
  std::map<std::string, std::string> types;
  for (const auto& child : model.module().named_modules()) {
    if (!child.name.empty()) types[child.name] = class_name(child.value);
  }
  if (types.empty()) {
    throw UserError(ExitCode::kModel,
                    "model '" + model.path() +
                        "': has no sub-modules to name a layer by (frozen before it was saved?): "
                        "export it without torch.jit.freeze");
  }
  const MarkedGraph marked(model, [](const std::string&) { return true; });
  const auto shapes = marked.shapes(height, width);
  std::vector<Layer> layers;
  for (const auto& mark : shapes) {
    layers.push_back({mark.layer, types[mark.layer], mark.shape, mark.obstacle});
    types.erase(mark.layer);
  }
  for (const auto& [name, type] : types) {
    layers.push_back({name, type, {}, "is never called by forward, or gives no tensor"});
  }
  return layers;
}

std::string automatic_layer(const std::vector<Layer>& layers, const std::string& model_path) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (layer->spatial() && layer->obstacle.empty()) return layer->name;
  }
  throw UserError(ExitCode::kModel,
                  "model '" + model_path + "': no layer gives a spatial activation [1, C, h, w]");
}

}  // namespace gradcam
