#include "stages/explain/model/module_graphs.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <set>

namespace gradcam {
namespace {

namespace jit = torch::jit;

void inline_functions(jit::Block* block) {
  for (jit::Node* node = *block->nodes().begin(); node != block->return_node();) {
    jit::Node* const before = node->prev();
    if (node->kind() == c10::prim::CallFunction) {
      if (auto* const callee = jit::tryToGraphFunction(node)) {
        node->removeInput(0);  // the function itself
        jit::inlineCallTo(node, callee, callee->graph().get());
        node = before->next();  // the first node that came in its place
        continue;
      }
    }
    for (jit::Block* inner : node->blocks()) inline_functions(inner);
    node = node->next();
  }
}

void collect(jit::Block* block, std::vector<jit::Node*>& nodes) {
  for (jit::Node* node : block->nodes()) {
    nodes.push_back(node);
    for (jit::Block* inner : node->blocks()) collect(inner, nodes);
  }
}

}  // namespace

std::vector<ModuleGraph> graphs_of(const jit::Module& module) {
  std::vector<ModuleGraph> graphs;
  std::set<const jit::Graph*> seen;
  for (const auto& part : module.named_modules()) {
    for (const jit::Method& method : part.value.get_methods()) {
      auto* const function = jit::tryToGraphFunction(method.function());
      if (function == nullptr || !seen.insert(function->graph().get()).second) continue;
      inline_functions(function->graph()->block());
      graphs.push_back({part.name, part.value, function->graph()});
    }
  }
  return graphs;
}

std::vector<jit::Node*> nodes_of(jit::Block* block) {
  std::vector<jit::Node*> nodes;
  collect(block, nodes);
  return nodes;
}

std::optional<at::Tensor> tensor_constant(const jit::Node* node) {
  if (node->kind() != c10::prim::Constant || !node->hasAttribute(c10::attr::value) ||
      node->kindOf(c10::attr::value) != jit::AttributeKind::t) {
    return std::nullopt;
  }
  return node->t(c10::attr::value);
}

std::optional<c10::IValue> known_value(const jit::Value* value, const jit::Module& self) {
  const jit::Node* const node = value->node();
  if (node->kind() == c10::prim::Param) {
    const bool is_self = node->owningBlock()->owningNode() == nullptr && value->offset() == 0;
    return is_self ? std::optional<c10::IValue>(self._ivalue()) : std::nullopt;
  }
  if (node->kind() != c10::prim::GetAttr) return jit::toIValue(value);
  const auto owner = known_value(node->input(0), self);
  if (!owner || !owner->isObject()) return std::nullopt;
  return owner->toObjectRef().getAttr(node->s(c10::attr::name));
}

std::optional<std::size_t> argument(const jit::Node* node, const std::string& name) {
  if (!node->kind().is_aten()) return std::nullopt;
  const c10::FunctionSchema* const schema = node->maybeSchema();
  if (schema == nullptr) return std::nullopt;
  const auto found = schema->argumentIndexWithName(name);
  if (!found) return std::nullopt;
  return static_cast<std::size_t>(*found);
}

}  // namespace gradcam
