#include "stages/explain/model/inference_form.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "config/text.h"
#include "stages/explain/model/module_graphs.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

bool is_other_float(at::ScalarType type) {
  return type == at::kHalf || type == at::kBFloat16 || type == at::kDouble;
}

void replace_input(jit::Node* node, std::size_t place, const c10::IValue& constant) {
  const jit::WithInsertPoint before(node);
  node->replaceInput(place, node->owningGraph()->insertConstant(constant));
}

void make_constant_fp32(jit::Node* node) {
  const auto value = tensor_constant(node);
  if (value && is_other_float(value->scalar_type())) {
    node->t_(c10::attr::value, value->to(at::kFloat));
  }
}

/// Of an operation that is told a number format: zeros(…, dtype), to(…, dtype).
void name_fp32(jit::Node* node) {
  const auto place = argument(node, "dtype");
  if (!place) return;
  const auto type = jit::toIValue(node->input(*place));
  if (!type || !type->isInt() || !is_other_float(static_cast<at::ScalarType>(type->toInt()))) {
    return;
  }
  replace_input(node, *place, static_cast<std::int64_t>(at::kFloat));
}

/// The argument that says that an operation works as in training, if it is written down that it
/// does.
std::optional<std::size_t> training_argument(const jit::Node* node) {
  for (const char* name : {"train", "training", "use_input_stats"}) {
    const auto place = argument(node, name);
    if (!place) continue;
    const auto training = jit::toIValue(node->input(*place));
    if (training && training->isBool() && training->toBool()) return place;
  }
  return std::nullopt;
}

bool lacks_running_statistics(const jit::Node* node, const jit::Module& module) {
  const auto place = argument(node, "running_mean");
  if (!place) return false;
  const auto mean = known_value(node->input(*place), module);
  return mean && mean->isNone();
}

bool switch_off(jit::Node* node, const jit::Module& module) {
  if (const auto place = training_argument(node)) {
    if (lacks_running_statistics(node, module)) return false;
    replace_input(node, *place, false);
    return true;
  }
  // Of fused attention a probability alone.
  const auto place = argument(node, "dropout_p");
  if (!place) return false;
  const auto share = jit::toIValue(node->input(*place));
  if (!share || !share->isDouble() || share->toDouble() <= 0) return false;
  replace_input(node, *place, 0.0);
  return true;
}

/// A batch norm in training counts its batches, which is a state between frames.
bool counts_batches(const jit::Node* node) {
  if (node->kind() != c10::aten::add_ || node->output()->hasUses()) return false;
  const jit::Node* const counter = node->input(0)->node();
  return counter->kind() == c10::prim::GetAttr &&
         counter->s(c10::attr::name) == "num_batches_tracked";
}

/// "dropout" of aten::feature_dropout_.
std::string family_of(const jit::Node* node) {
  std::string name = node->kind().toUnqualString();
  for (const char* family : {"dropout", "batch_norm", "instance_norm"}) {
    if (name.find(family) != std::string::npos) return family;
  }
  return name;
}

}  // namespace

void fill_defaults(jit::Module& module) {
  auto& forward = jit::toGraphFunction(module.get_method("forward").function());
  const c10::FunctionSchema schema = forward.getSchema();
  jit::Graph& graph = *forward.graph();
  std::vector<c10::Argument> kept = schema.arguments();
  for (std::size_t i = std::min(kept.size(), graph.inputs().size()); i-- > 2;) {
    const auto& given = kept[i].default_value();
    if (!given) continue;
    const jit::WithInsertPoint start(*graph.nodes().begin());
    const auto constant = jit::tryInsertConstant(graph, *given);
    if (!constant) continue;
    graph.inputs()[i]->replaceAllUsesWith(*constant);
    graph.eraseInput(i);
    kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
  }
  forward.setSchema(schema.cloneWithArguments(std::move(kept)));
}

void make_fp32(const jit::Module& module, const std::vector<ModuleGraph>& graphs) {
  const auto is_other = [](const at::Tensor& t) { return is_other_float(t.scalar_type()); };
  bool any = false;
  for (const at::Tensor& parameter : module.parameters()) any = any || is_other(parameter);
  if (!any) return;
  for (const auto& attribute : module.named_attributes(/*recurse=*/true)) {
    if (!attribute.value.isTensor()) continue;
    at::Tensor tensor = attribute.value.toTensor();
    if (tensor.defined() && is_other(tensor)) tensor.set_data(tensor.detach().to(at::kFloat));
  }
  for (const ModuleGraph& part : graphs) {
    for (jit::Node* node : nodes_of(part.graph->block())) {
      make_constant_fp32(node);
      name_fp32(node);
    }
  }
}

std::string leave_training(const std::vector<ModuleGraph>& graphs) {
  std::map<std::string, std::vector<std::string>> layers;  // by what was switched
  for (const ModuleGraph& part : graphs) {
    for (jit::Node* node : nodes_of(part.graph->block())) {
      if (counts_batches(node)) {
        node->destroy();
      } else if (switch_off(node, part.module)) {
        layers[family_of(node)].push_back(part.layer.empty() ? "forward" : part.layer);
      }
    }
  }
  std::string text;
  for (auto& [family, names] : layers) {
    names.erase(std::unique(names.begin(), names.end()), names.end());
    text += (text.empty() ? "" : ", ") + family + " of " + some_of(names);
  }
  return text;
}

}  // namespace gradcam
