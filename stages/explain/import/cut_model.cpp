#include "stages/explain/import/cut_model.h"

#include <map>
#include <openvino/core/model.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/transpose.hpp>
#include <string_view>

namespace gradcam {
namespace {

using Ports = std::map<std::string, ov::Output<ov::Node>>;

constexpr std::string_view kTurned = "_turned";

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

/// The port of the name; one without a node where none has it.
ov::Output<ov::Node> port_of(const Ports& ports, const std::string& name) {
  if (!name.ends_with(kTurned)) {
    const auto found = ports.find(name);
    return found == ports.end() ? ov::Output<ov::Node>() : found->second;
  }
  const auto port = port_of(ports, name.substr(0, name.size() - kTurned.size()));
  if (port.get_node() == nullptr) return port;
  const auto order = ov::op::v0::Constant::create(ov::element::i64, {3}, {1, 0, 2});
  return std::make_shared<ov::op::v1::Transpose>(port, order);
}

}  // namespace

std::string turned_name(std::size_t node, std::size_t output) {
  return value_name(node, output).append(kTurned);
}

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
    if (!value->hasDebugName()) return nullptr;
    outputs.push_back(port_of(ports, value->debugName()));
    if (outputs.back().get_node() == nullptr) return nullptr;
  }
  return std::make_shared<ov::Model>(outputs, ov::ParameterVector{picture});
}

}  // namespace gradcam
