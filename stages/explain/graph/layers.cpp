#include "stages/explain/graph/layers.h"

#include <torch/csrc/jit/api/module.h>

#include <map>

#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/graph/graph_marks.h"
#include "stages/explain/graph/tokens.h"

namespace gradcam {
namespace {

std::string class_name(const torch::jit::Module& module) {
  const auto name = module.type()->name();
  return name ? name->name() : std::string("Module");
}

/// A map of the picture: not the norm [1, 1, 1, C] behind one, whose channels come last.
bool shows_picture(const Layer& layer, const ModelDescription& description) {
  const auto& shape = layer.shape;
  const auto fits = [&](std::size_t first) {
    return shape[first] * shape[first + 1] > 1 &&
           in_proportion(shape[first], shape[first + 1], description);
  };
  return shape.size() == 4 && (fits(2) || fits(1));
}

}  // namespace

std::vector<Layer> list_layers(const Model& model, const ModelDescription& description) {
  std::map<std::string, std::string> types;
  for (const auto& child : model.module().named_modules()) {
    if (!child.name.empty()) types[child.name] = class_name(child.value);
  }
  if (types.empty() && model.source() != nullptr) {
    throw UserError(ExitCode::kModel,
                    "model '" + model.path() +
                        "': computes nothing with rows and columns, or tokens, that "
                        "a heat map could be made of");
  }
  if (types.empty()) {
    throw UserError(ExitCode::kModel,
                    "model '" + model.path() +
                        "': has no sub-modules to name a layer by (frozen before it was saved?): "
                        "export it without torch.jit.freeze");
  }
  const MarkedGraph marked(model, [](const std::string&) { return true; });
  const auto shapes = marked.shapes(description);
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

std::string automatic_layer(const std::vector<Layer>& layers, const ModelDescription& description,
                            const std::string& model_path) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (shows_picture(*layer, description) && layer->obstacle.empty()) return layer->name;
  }
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (layer->spatial() && layer->obstacle.empty()) return layer->name;
  }
  std::vector<std::string> in_branch;
  for (const Layer& layer : layers) {
    if (layer.obstacle == kInBranch) in_branch.push_back(layer.name);
  }
  throw UserError(ExitCode::kModel,
                  "model '" + model_path + "': no layer gives a spatial activation [1, C, h, w]" +
                      (in_branch.empty() ? ""
                                         : " that can be cut: " + some_of(in_branch) +
                                               " lie inside a branch or loop of the scripted code; "
                                               "export by torch.jit.trace"));
}

}  // namespace gradcam
