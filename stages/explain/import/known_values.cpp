#include "stages/explain/import/known_values.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <memory>
#include <openvino/op/constant.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/util/op_types.hpp>
#include <openvino/openvino.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

namespace gradcam {
namespace {

using Port = ov::Output<ov::Node>;

bool is_shape_of(const ov::Node& node) {
  return std::string(node.get_type_name()) == "ShapeOf" &&
         node.get_input_partial_shape(0).is_static();
}

std::optional<at::ScalarType> same_type(const ov::element::Type& type) {
  if (type == ov::element::f32) return at::kFloat;
  if (type == ov::element::f64) return at::kDouble;
  if (type == ov::element::f16) return at::kHalf;
  if (type == ov::element::bf16) return at::kBFloat16;
  if (type == ov::element::i64) return at::kLong;
  if (type == ov::element::i32) return at::kInt;
  if (type == ov::element::i16) return at::kShort;
  if (type == ov::element::i8) return at::kChar;
  if (type == ov::element::u8) return at::kByte;
  if (type == ov::element::boolean) return at::kByte;
  return std::nullopt;
}

at::ScalarType wanted_type(const ov::element::Type& type) {
  if (type.is_real()) return at::kFloat;
  return type == ov::element::boolean ? at::kBool : at::kLong;
}

/// `owner`: of the memory.
at::Tensor as_tensor(const ov::Tensor& value, const std::shared_ptr<const void>& owner) {
  const ov::Shape& size = value.get_shape();
  const std::vector<std::int64_t> shape(size.begin(), size.end());
  const at::ScalarType wanted = wanted_type(value.get_element_type());
  if (ov::shape_size(size) == 0) return at::empty(shape, wanted);
  const auto type = same_type(value.get_element_type());
  if (type) {
    return at::from_blob(
               const_cast<void*>(value.data()), shape,
               [owner](void*) { /* the owner goes with the tensor */ }, *type)
        .to(wanted);
  }
  // Numbers of four bits, and others that LibTorch has no type for.
  const ov::op::v0::Constant constant(value);
  if (wanted == at::kFloat) return at::tensor(constant.cast_vector<float>()).reshape(shape);
  return at::tensor(constant.cast_vector<std::int64_t>()).reshape(shape);
}

/// By the CPU's plugin, which has rules for what an operation cannot compute of itself, such as
/// GatherND and Einsum; empty: it has none either. Floats are given as inputs: of constants the
/// plugin would have the operation compute itself.
ov::TensorVector computed_by_plugin(const ov::Node& node, const ov::TensorVector& inputs) {
  ov::OutputVector sources;
  ov::ParameterVector parameters;
  ov::TensorVector values;
  for (const ov::Tensor& input : inputs) {
    if (!input.get_element_type().is_real()) {
      sources.push_back(std::make_shared<ov::op::v0::Constant>(input));
      continue;
    }
    values.push_back(input);
    parameters.push_back(
        std::make_shared<ov::op::v0::Parameter>(input.get_element_type(), input.get_shape()));
    sources.push_back(parameters.back());
  }
  ov::TensorVector outputs;
  try {
    const auto copy = node.clone_with_new_inputs(sources);
    const auto model = std::make_shared<ov::Model>(copy->outputs(), parameters);
    auto request = ov::Core()
                       .compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32))
                       .create_infer_request();
    for (std::size_t i = 0; i < values.size(); ++i) request.set_input_tensor(i, values[i]);
    request.infer();
    for (std::size_t i = 0; i < node.get_output_size(); ++i) {
      const ov::Tensor result = request.get_output_tensor(i);
      result.copy_to(outputs.emplace_back(result.get_element_type(), result.get_shape()));
    }
    return outputs;
  } catch (const ov::Exception&) {
    return {};
  }
}

bool has_known_shapes(const ov::Node& node) {
  return std::ranges::all_of(
      node.outputs(), [](const auto& output) { return output.get_partial_shape().is_static(); });
}

/// Whether OpenVINO computes it itself at a leisurely pace: the positions of a YOLOS are resized in
/// seconds, each time that the network is compiled.
bool is_slow(const ov::Node& node) { return std::string(node.get_type_name()) == "Interpolate"; }

/// By the operation itself; empty: it cannot.
ov::TensorVector computed_by_itself(const ov::Node& node, const ov::TensorVector& inputs) {
  if (!has_known_shapes(node)) return {};
  ov::TensorVector outputs;
  for (const auto& output : node.outputs()) {
    outputs.emplace_back(output.get_element_type(), output.get_shape());
  }
  return node.evaluate(outputs, inputs) ? outputs : ov::TensorVector{};
}

/// Whether there was one. What it decides about may lead to others.
bool settle_some(const ov::Model& model) {
  KnownValues known(model);
  bool any = false;
  for (const auto& node : model.get_ordered_ops()) {
    node->validate_and_infer_types();
    if (ov::op::util::is_output(node) || (has_known_shapes(*node) && !is_slow(*node))) continue;
    if (known.depends_on_picture(node->output(0))) continue;
    try {
      for (auto& output : node->outputs()) {
        output.replace(std::make_shared<ov::op::v0::Constant>(known.computed(output)));
      }
      any = true;
    } catch (const std::exception&) {  // whatever needs it says so
    }
  }
  return any;
}

}  // namespace

std::string named(const ov::Node& node) {
  return std::string(node.get_type_name()) + " (" + node.get_friendly_name() + ")";
}

KnownValues::KnownValues(const ov::Model& model) {
  for (const auto& node : model.get_ordered_ops()) {
    bool varies = ov::op::util::is_parameter(node);
    for (const auto& input : node->inputs()) {
      varies = varies || varying_.contains(input.get_source_output().get_node());
    }
    if (varies && !is_shape_of(*node)) varying_.insert(node.get());
  }
}

ov::Tensor KnownValues::computed(const Port& port) {
  if (const auto found = computed_.find(port); found != computed_.end()) return found->second;
  ov::Node* const node = port.get_node();
  if (const auto* constant = ov::as_type<ov::op::v0::Constant>(node)) {
    return computed_[port] = constant->get_tensor_view();
  }
  if (is_shape_of(*node)) {
    const ov::Shape shape = node->get_input_shape(0);
    ov::Tensor sizes(node->get_output_element_type(0), ov::Shape{shape.size()});
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (sizes.get_element_type() == ov::element::i32) {
        sizes.data<std::int32_t>()[i] = static_cast<std::int32_t>(shape[i]);
      } else {
        sizes.data<std::int64_t>()[i] = static_cast<std::int64_t>(shape[i]);
      }
    }
    return computed_[port] = sizes;
  }
  ov::TensorVector inputs;
  for (const auto& input : node->inputs()) inputs.push_back(computed(input.get_source_output()));
  ov::TensorVector outputs;
  if (!is_slow(*node)) outputs = computed_by_itself(*node, inputs);
  if (outputs.empty()) outputs = computed_by_plugin(*node, inputs);
  if (outputs.empty()) throw std::runtime_error("cannot compute " + named(*node));
  for (std::size_t i = 0; i < outputs.size(); ++i) computed_[node->output(i)] = outputs[i];
  return outputs.at(port.get_index());
}

at::Tensor KnownValues::of(const Port& port) {
  const ov::Tensor value = computed(port);
  if (ov::op::util::is_constant(port.get_node())) {
    return as_tensor(value, port.get_node_shared_ptr());
  }
  return as_tensor(value, std::make_shared<ov::Tensor>(value));
}

void settle_known_values(ov::Model& model) {
  while (settle_some(model)) {
  }
}

}  // namespace gradcam
