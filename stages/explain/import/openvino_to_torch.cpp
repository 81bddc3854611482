#include "stages/explain/import/openvino_to_torch.h"

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <openvino/core/model.hpp>
#include <openvino/op/util/op_types.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "stages/explain/import/batch_axis.h"
#include "stages/explain/import/cut_model.h"
#include "stages/explain/import/graph_builder.h"
#include "stages/explain/import/halves_of_layers.h"
#include "stages/explain/import/known_values.h"
#include "stages/explain/import/layer_names.h"
#include "stages/explain/import/operations.h"
#include "stages/explain/model/torch_reason.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

const Rule* rule_of(const std::string& type) {
  for (const Rules* rules : {&elementwise_rules(), &window_rules(), &resize_rules(), &shape_rules(),
                             &gathering_rules(), &reduction_rules(), &quantised_rules()}) {
    if (const auto found = rules->find(type); found != rules->end()) return &found->second;
  }
  return nullptr;
}

/// Makes sub-modules that give back what they are given, one class for each type of operation.
class LayerModules {
 public:
  explicit LayerModules(jit::Module& network) : network_(network) {}

  /// The value as it comes out of a sub-module of this name.
  jit::Value* through(jit::Graph& graph, jit::Value* self, jit::Value* value,
                      const std::string& name, const std::string& type) {
    network_.register_module(name,
                             jit::Module(network_._ivalue()->compilation_unit(), class_of(type)));
    jit::Value* const layer = graph.insertGetAttr(self, name);
    jit::Node* const call = graph.create(c10::prim::CallMethod, {layer, value}, 1);
    call->s_(c10::attr::name, "forward");
    call->output()->setType(c10::TensorType::get());
    return graph.insertNode(call)->output();
  }

 private:
  c10::ClassTypePtr class_of(const std::string& type) {
    if (const auto found = classes_.find(type); found != classes_.end()) return found->second;
    jit::Module made("__torch__.openvino." + type, network_._ivalue()->compilation_unit());
    made.define("def forward(self, x):\n  return x\n");
    return classes_[type] = made.type();
  }

  jit::Module& network_;
  std::map<std::string, c10::ClassTypePtr> classes_;
};

/// Whether a value can be a map: float, with places or tokens.
bool may_be_layer(const ov::Output<ov::Node>& port) {
  const auto dims = port.get_partial_shape().rank();
  return port.get_element_type().is_real() && (dims == 4 || dims == 3);
}

/// Tokens [T, 1, C], whose pictures are the second dimension.
bool has_tokens_first(const GraphBuilder& builder, const ov::Node& node) {
  const ov::Shape& shape = node.get_output_shape(0);
  return shape.size() == 3 && shape[0] > 1 && shape[1] == 1 && builder.batch_axis(node) == 1;
}

}  // namespace

jit::Module to_torchscript(const ov::Model& model) {
  jit::Module module("__torch__.openvino.Network", std::make_shared<jit::CompilationUnit>());
  const auto graph = std::make_shared<jit::Graph>();
  jit::Value* const self = graph->addInput("self")->setType(module.type());
  jit::Value* const picture = graph->addInput("picture")->setType(c10::TensorType::get());
  LayerModules layers(module);
  GraphBuilder builder(*graph, model);
  const auto parameter = model.get_parameters().at(0);
  builder.set(parameter->output(0), picture);
  builder.set_batch_axis(*parameter, 0);

  std::vector<std::shared_ptr<ov::Node>> nodes;
  std::map<const ov::Node*, std::size_t> places;
  for (const auto& node : model.get_ordered_ops()) {
    const std::size_t place = places.size();
    places[node.get()] = place;
    const bool computes = !ov::op::util::is_parameter(node) && !ov::op::util::is_output(node);
    if (computes && node->get_output_size() > 0 && builder.depends_on_picture(node->output(0))) {
      nodes.push_back(node);
    }
  }
  std::vector<std::shared_ptr<ov::Node>> whole;
  std::ranges::copy_if(nodes, std::back_inserter(whole),
                       [&](const auto& node) { return !is_half_of_layer(builder, *node); });
  const auto names = layer_names(whole);
  for (const auto& node : nodes) {
    const Rule* const rule = rule_of(node->get_type_name());
    if (rule == nullptr) throw std::runtime_error("no gradient is known for " + named(*node));
    builder.set_batch_axis(*node, batch_axis_behind(builder, *node));
    JitValues values;
    try {
      values = (*rule)(builder, *node);
    } catch (const std::exception& error) {
      throw std::runtime_error(named(*node) + ": " + torch_reason(error.what()));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      jit::Value* value = values[i];
      value->setDebugName(value_name(places.at(node.get()), i));
      const auto own = names.find(node.get());
      if (i == 0 && own != names.end() && may_be_layer(node->output(0))) {
        const bool turned = has_tokens_first(builder, *node);
        if (turned) {
          value = builder.call("transpose", {value, 0, 1});
          value->setDebugName(turned_name(places.at(node.get()), i));
        }
        for (const std::string& name : own->second) {
          value = layers.through(*graph, self, value, name, node->get_type_name());
        }
        if (turned) value = builder.call("transpose", {value, 0, 1});
      }
      builder.set(node->output(i), value);
    }
  }

  JitValues results;
  for (const auto& result : model.get_results()) results.push_back(builder.input(*result, 0));
  graph->registerOutput(
      results.size() == 1 ? results[0] : graph->insertNode(graph->createTuple(results))->output());
  const c10::QualifiedName name(*module.type()->name(), "forward");
  module.type()->addMethod(
      module._ivalue()->compilation_unit()->create_function(name, graph, /*shouldMangle=*/false));
  return module;
}

}  // namespace gradcam
