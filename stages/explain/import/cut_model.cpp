#include "stages/explain/import/cut_model.h"

#include <map>
#include <openvino/core/model.hpp>
#include <openvino/op/parameter.hpp>

namespace gradcam {
namespace {

using Ports = std::map<std::string, ov::Output<ov::Node>>;

Ports ports_by_name(const ov::Model& model) {
  Ports ports;
  std::size_t index = 0;
  for (const auto& node : model.get_ordered_ops()) {
    for (const auto& output : node->outputs()) {
      ports[value_name(index, output.get_index())] = output;
    }
    ++index;
  }
  return ports;
}

}  // namespace

std::string value_name(std::size_t node, std::size_t output) {
  return "openvino_" + std::to_string(node) + "_" + std::to_string(output);
}

std::shared_ptr<ov::Model> cut_model(const ov::Model& whole, const torch::jit::Graph& features,
                                     int count) {
  const auto copy = whole.clone();
  if (count > 1) {
    ov::PartialShape shape = copy->input().get_partial_shape();
    shape[0] = count;
    try {
      copy->reshape(shape);
    } catch (const ov::Exception&) {
      return nullptr;
    }
  }
  const Ports ports = ports_by_name(*copy);
  const auto picture = copy->get_parameters().at(0);
  ov::OutputVector outputs;
  for (const torch::jit::Value* value : features.outputs().at(0)->node()->inputs()) {
    if (value == features.inputs().at(0)) {
      outputs.push_back(picture->output(0));
      continue;
    }
    const auto found = value->hasDebugName() ? ports.find(value->debugName()) : ports.end();
    if (found == ports.end()) return nullptr;
    outputs.push_back(found->second);
  }
  return std::make_shared<ov::Model>(outputs, ov::ParameterVector{picture});
}

}  // namespace gradcam
