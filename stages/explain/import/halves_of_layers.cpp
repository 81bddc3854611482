#include "stages/explain/import/halves_of_layers.h"

#include <algorithm>
#include <string>

namespace gradcam {
namespace {

bool is_type(const ov::Node& node, const char* type) {
  return node.get_type_name() == std::string(type);
}

/// The dimension that a bias goes along; nullopt: the operation has none in PyTorch.
std::optional<std::size_t> bias_axis(GraphBuilder& b, const ov::Node& node) {
  for (const char* type : {"Convolution", "GroupConvolution", "ConvolutionBackpropData",
                           "GroupConvolutionBackpropData"}) {
    if (is_type(node, type)) return 1;
  }
  if (!is_type(node, "MatMul") || !b.known(node, 1)) return std::nullopt;
  const bool is_linear = node.get_input_shape(1).size() == 2;
  return is_linear ? std::optional(node.get_output_shape(0).size() - 1) : std::nullopt;
}

/// One number for each place of one dimension of `shape`: [C, 1, 1] or [1, C, 1, 1] of [1, C, h,
/// w].
bool goes_along(const at::Tensor& bias, const ov::Shape& shape, std::size_t axis) {
  const auto dims = static_cast<std::size_t>(bias.dim());
  if (dims > shape.size() || shape.size() - axis > dims) return false;
  if (bias.numel() != static_cast<std::int64_t>(shape[axis])) return false;
  return bias.size(static_cast<std::int64_t>(dims - (shape.size() - axis))) == bias.numel();
}

/// The one node that takes the value; null if there are more. Who asks for its shape alone, as
/// front ends do to spell a bias, takes no value.
const ov::Node* only_taker(GraphBuilder& b, const ov::Node& node) {
  if (node.get_output_size() != 1) return nullptr;
  const ov::Node* taker = nullptr;
  for (const auto& input : node.get_output_target_inputs(0)) {
    const ov::Node* const each = input.get_node();
    if (each->get_output_size() > 0 && !b.depends_on_picture(input.get_node()->output(0))) continue;
    if (taker != nullptr) return nullptr;
    taker = each;
  }
  return taker;
}

}  // namespace

bool multiplies_by_one(GraphBuilder& b, const ov::Node& node, std::size_t i) {
  if (!is_type(node, "Multiply")) return false;
  const auto factor = b.known(node, 1 - i);
  return factor && factor->numel() == 1 && factor->item().toDouble() == 1 &&
         node.get_output_shape(0) == node.get_input_shape(i);
}

std::optional<std::size_t> input_without_bias(GraphBuilder& b, const ov::Node& addition) {
  if (!is_type(addition, "Add")) return std::nullopt;
  for (std::size_t i = 0; i < 2; ++i) {
    const ov::Node* producer = addition.get_input_node_ptr(i);
    const auto bias = b.known(addition, 1 - i);
    if (!bias || !b.depends_on_picture(addition.input_value(i))) continue;
    while (only_taker(b, *producer) != nullptr && multiplies_by_one(b, *producer, 0)) {
      producer = producer->get_input_node_ptr(0);
    }
    const auto axis = bias_axis(b, *producer);
    if (!axis || only_taker(b, *producer) == nullptr) continue;
    if (goes_along(*bias, producer->get_output_shape(0), *axis)) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> input_of_silu(GraphBuilder& b, const ov::Node& product) {
  if (!is_type(product, "Multiply")) return std::nullopt;
  for (std::size_t i = 0; i < 2; ++i) {
    const ov::Node& sigmoid = *product.get_input_node_ptr(1 - i);
    if (is_type(sigmoid, "Sigmoid") && sigmoid.input_value(0) == product.input_value(i) &&
        only_taker(b, sigmoid) != nullptr) {
      return i;
    }
  }
  return std::nullopt;
}

bool is_half_of_layer(GraphBuilder& b, const ov::Node& node) {
  const ov::Node* taker = only_taker(b, node);
  if (taker == nullptr) return false;
  if (is_type(node, "Sigmoid")) return input_of_silu(b, *taker).has_value();
  while (taker != nullptr && multiplies_by_one(b, *taker, 0)) taker = only_taker(b, *taker);
  if (taker == nullptr || !input_without_bias(b, *taker)) return false;
  return bias_axis(b, node).has_value() || multiplies_by_one(b, node, 0);
}

}  // namespace gradcam
