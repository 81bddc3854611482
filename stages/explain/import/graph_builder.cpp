#include "stages/explain/import/graph_builder.h"

#include <openvino/core/node.hpp>
#include <stdexcept>

namespace gradcam {

namespace jit = torch::jit;

std::size_t from_front(std::int64_t axis, std::size_t dims) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(dims) : axis);
}

Ints last_first(const Ints& begin, const Ints& end) {
  Ints pairs;
  for (std::size_t i = begin.size(); i-- > 0;) {
    pairs.push_back(begin[i]);
    pairs.push_back(end[i]);
  }
  return pairs;
}

jit::Value* GraphBuilder::input(const ov::Node& node, std::size_t i) {
  const ov::Output<ov::Node> source = node.input_value(i);
  const auto found = values_.find(source);
  if (found != values_.end()) return found->second;
  return values_[source] = graph_.insertConstant(known_.of(source));
}

jit::Value* GraphBuilder::float_input(const ov::Node& node, std::size_t i) {
  jit::Value* const value = input(node, i);
  if (node.get_input_element_type(i).is_real()) return value;
  return call("to", {value, static_cast<std::int64_t>(at::kFloat)});
}

JitValues GraphBuilder::inputs(const ov::Node& node) {
  JitValues values;
  for (std::size_t i = 0; i < node.get_input_size(); ++i) values.push_back(input(node, i));
  return values;
}

std::optional<at::Tensor> GraphBuilder::known(const ov::Node& node, std::size_t i) {
  const ov::Output<ov::Node> source = node.input_value(i);
  if (known_.depends_on_picture(source)) return std::nullopt;
  return known_.of(source);
}

Ints GraphBuilder::ints(const ov::Node& node, std::size_t i) {
  const auto tensor = known(node, i);
  if (!tensor) throw std::runtime_error("input " + std::to_string(i) + " depends on the picture");
  const at::Tensor whole = tensor->to(at::kLong).contiguous();
  const auto* const data = whole.const_data_ptr<std::int64_t>();
  return {data, data + whole.numel()};
}

jit::Value* GraphBuilder::call(const std::string& name,
                               const std::vector<jit::NamedValue>& arguments,
                               const std::vector<jit::NamedValue>& named) {
  return graph_.insert(c10::Symbol::aten(name), arguments, named);
}

jit::Value* GraphBuilder::list(const JitValues& tensors) {
  return graph_.insertNode(graph_.createList(c10::TensorType::get(), tensors))->output();
}

jit::Value* GraphBuilder::sizes_like(jit::Value* like, std::size_t axis, const Ints& sizes) {
  JitValues numbers;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    numbers.push_back(i == axis ? call("size", {like, static_cast<std::int64_t>(axis)})
                                : graph_.insertConstant(sizes[i]));
  }
  return graph_.insertNode(graph_.createList(c10::IntType::get(), numbers))->output();
}

std::optional<std::size_t> GraphBuilder::batch_axis(const ov::Node& node) const {
  const auto found = batch_axes_.find(&node);
  if (found == batch_axes_.end()) return std::nullopt;
  return found->second;
}

void GraphBuilder::set_batch_axis(const ov::Node& node, std::optional<std::size_t> axis) {
  if (axis) batch_axes_[&node] = *axis;
}

}  // namespace gradcam
