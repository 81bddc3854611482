#include "stages/explain/model/picture_channels.h"

#include <set>
#include <string>

#include "stages/explain/model/module_graphs.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

/// Gives as many channels as its first input has.
bool keeps_channels(const jit::Node* node) {
  static const std::set<std::string> kKeeping = {"sub",
                                                 "sub_",
                                                 "add",
                                                 "add_",
                                                 "mul",
                                                 "mul_",
                                                 "div",
                                                 "div_",
                                                 "clone",
                                                 "contiguous",
                                                 "detach",
                                                 "to",
                                                 "type_as",
                                                 "clamp",
                                                 "batch_norm",
                                                 "instance_norm",
                                                 "pad",
                                                 "constant_pad_nd",
                                                 "reflection_pad2d",
                                                 "replication_pad2d"};
  return node->kind().is_aten() && kKeeping.contains(node->kind().toUnqualString());
}

bool is_picture(const jit::Value* value, const jit::Graph& graph) {
  while (value->node()->kind() != c10::prim::Param) {
    if (!keeps_channels(value->node())) return false;
    value = value->node()->input(0);
  }
  return value == graph.inputs().at(1);
}

}  // namespace

std::optional<std::int64_t> channels_of_picture(jit::Graph& inlined, const jit::Module& module) {
  for (const jit::Node* node : nodes_of(inlined.block())) {
    const bool convolves =
        node->kind() == c10::aten::conv2d || node->kind() == c10::aten::_convolution;
    if (!convolves || !is_picture(node->input(0), inlined)) continue;
    const auto weight = known_value(node->input(1), module);
    const auto groups = argument(node, "groups");
    const auto count = groups ? known_value(node->input(*groups), module) : std::nullopt;
    if (!weight || !weight->isTensor() || weight->toTensor().dim() != 4) return std::nullopt;
    if (!count || !count->isInt()) return std::nullopt;
    return weight->toTensor().size(1) * count->toInt();
  }
  return std::nullopt;
}

}  // namespace gradcam
