#include "stages/explain/graph/recorded_values.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <string_view>

#include "stages/explain/graph/graph_marks.h"
#include "stages/explain/model/module_graphs.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

/// All values of a graph without blocks that its nodes compute.
std::vector<jit::Value*> computed(jit::Graph& graph) {
  std::vector<jit::Value*> values;
  for (jit::Node* node : graph.nodes()) {
    if (node->kind() == c10::prim::Constant) continue;
    values.insert(values.end(), node->outputs().begin(), node->outputs().end());
  }
  return values;
}

/// Tells of its tensor no more than the shape.
bool reads_shape(const jit::Node* node) {
  const std::string_view name = node->kind().toQualString();
  return name == "aten::size" || name == "aten::dim" || name == "aten::numel" ||
         name == "prim::shape" || name == "prim::dtype" || name == "prim::device";
}

}  // namespace

RecordedValues::RecordedValues(jit::Graph& graph, const std::vector<at::Tensor>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    varying_.insert(graph.inputs().at(i));
    take(graph.inputs()[i], inputs[i]);
  }
  const auto copy = graph.copy();
  return_also(*copy, computed(*copy));
  jit::GraphFunction function("recorded", copy, nullptr);
  jit::Stack stack(inputs.begin(), inputs.end());
  {
    const at::NoGradGuard no_grad;
    function.run(stack);
  }
  const auto results = stack.back().toTuple();
  std::size_t next = 1;  // behind what the graph returns itself
  for (jit::Node* node : graph.nodes()) {
    if (node->kind() == c10::prim::Constant) {
      constants_[node->output()] = jit::toIValue(node->output()).value();
      continue;
    }
    const bool varies = !reads_shape(node) && std::ranges::any_of(node->inputs(), [&](auto* input) {
      return varying_.count(input) > 0;
    });
    for (jit::Value* output : node->outputs()) {
      if (varies) varying_.insert(output);
      take(output, results->elements().at(next++));
    }
  }
}

void RecordedValues::take(const jit::Value* value, const c10::IValue& found) {
  if (!varies(value)) {
    constants_[value] = found;
  } else if (found.isTensor() && found.toTensor().defined()) {
    shapes_[value] = found.toTensor().sizes().vec();
  }
}

std::optional<std::vector<std::int64_t>> RecordedValues::shape(const jit::Value* value) const {
  const auto found = shapes_.find(value);
  return found == shapes_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<c10::IValue> RecordedValues::argument(const jit::Node& node,
                                                    const std::string& name) const {
  const auto place = gradcam::argument(&node, name);
  if (!place || varies(node.input(*place))) return std::nullopt;
  const c10::IValue& found = constant(node.input(*place));
  return found.isNone() ? std::nullopt : std::optional(found);
}

std::optional<std::int64_t> RecordedValues::number(const jit::Node& node,
                                                   const std::string& name) const {
  const auto found = argument(node, name);
  return found && found->isInt() ? std::optional(found->toInt()) : std::nullopt;
}

std::optional<bool> RecordedValues::flag(const jit::Node& node, const std::string& name) const {
  const auto found = argument(node, name);
  return found && found->isBool() ? std::optional(found->toBool()) : std::nullopt;
}

std::optional<at::Tensor> RecordedValues::tensor(const jit::Node& node,
                                                 const std::string& name) const {
  const auto found = argument(node, name);
  return found && found->isTensor() ? std::optional(found->toTensor()) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> RecordedValues::pair(const jit::Node& node,
                                                              const std::string& name) const {
  const auto found = argument(node, name);
  if (!found || !found->isIntList()) return std::nullopt;
  std::vector<std::int64_t> numbers = found->toIntVector();
  if (numbers.size() == 1) numbers.push_back(numbers[0]);
  return numbers.size() == 2 ? std::optional(numbers) : std::nullopt;
}

}  // namespace gradcam
