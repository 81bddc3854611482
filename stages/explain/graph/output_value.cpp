#include "stages/explain/graph/output_value.h"

#include <torch/csrc/jit/ir/constants.h>

#include <cstddef>
#include <vector>

namespace gradcam {
namespace {

namespace jit = torch::jit;

jit::Value* joined(jit::Graph& graph, jit::Value* returned, const OutputChoice& choice) {
  std::vector<jit::Value*> parts;
  for (const OutputChoice& part : choice.parts) {
    parts.push_back(output_value(graph, returned, part));
    if (parts.back() == nullptr) return nullptr;
  }
  jit::Node* const list = graph.appendNode(graph.createList(c10::TensorType::get(), parts));
  const jit::WithInsertPoint at_end(graph.return_node());
  return graph.insert(c10::aten::cat, {list->output(), -1});
}

}  // namespace

jit::Value* output_value(jit::Graph& graph, jit::Value* returned, const OutputChoice& choice) {
  if (!choice.parts.empty()) return joined(graph, returned, choice);
  jit::Node& node = *returned->node();
  if (node.kind() == c10::prim::DictConstruct) {
    for (std::size_t i = 0; i + 1 < node.inputs().size(); i += 2) {
      const auto key = jit::toIValue(node.inputs()[i]);
      const bool named = key && key->isString() && key->toStringRef() == choice.name;
      if (named || (choice.name.empty() && node.inputs().size() == 2)) return node.inputs()[i + 1];
    }
    return nullptr;
  }
  if (node.kind() != c10::prim::TupleConstruct && node.kind() != c10::prim::ListConstruct) {
    return returned->type()->isSubtypeOf(*c10::TensorType::get()) ? returned : nullptr;
  }
  const auto place = static_cast<std::size_t>(choice.index.value_or(0));
  return place < node.inputs().size() ? node.inputs()[place] : nullptr;
}

}  // namespace gradcam
