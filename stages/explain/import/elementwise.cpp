#include <ATen/TensorOperators.h>

#include <stdexcept>

#include "stages/explain/import/attributes.h"
#include "stages/explain/import/halves_of_layers.h"
#include "stages/explain/import/operations.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

Rule unary(const std::string& name) {
  return [name](GraphBuilder& b, const ov::Node& node) -> JitValues {
    return {b.call(name, {b.input(node, 0)})};
  };
}

void require_numpy_broadcast(const ov::Node& node) {
  if (Attributes(node).text("auto_broadcast.type", "numpy") == "pdpd") {
    throw std::runtime_error("broadcasts as PaddlePaddle does");
  }
}

Rule binary(const std::string& name) {
  return [name](GraphBuilder& b, const ov::Node& node) -> JitValues {
    require_numpy_broadcast(node);
    return {b.call(name, {b.input(node, 0), b.input(node, 1)})};
  };
}

/// A bias is put where PyTorch has it.
JitValues add(GraphBuilder& b, const ov::Node& node) {
  require_numpy_broadcast(node);
  if (const auto i = input_without_bias(b, node)) {
    jit::Value* const value = b.input(node, *i);
    const jit::WithInsertPoint before(value->node());
    constexpr std::size_t kBias = 2;  // of conv2d, conv_transpose2d, linear
    const at::Tensor bias = b.known(node, 1 - *i)->to(at::kFloat).flatten();
    value->node()->replaceInput(kBias, b.graph().insertConstant(bias));
    return {value};
  }
  return {b.call("add", {b.input(node, 0), b.input(node, 1)})};
}

JitValues multiply(GraphBuilder& b, const ov::Node& node) {
  require_numpy_broadcast(node);
  for (std::size_t i = 0; i < 2; ++i) {
    if (multiplies_by_one(b, node, i)) return {b.input(node, i)};
  }
  if (const auto x = input_of_silu(b, node)) return {b.call("silu", {b.input(node, *x)})};
  return {b.call("mul", {b.input(node, 0), b.input(node, 1)})};
}

/// Of whole numbers the quotient is rounded down.
JitValues divide(GraphBuilder& b, const ov::Node& node) {
  require_numpy_broadcast(node);
  const bool whole = !node.get_input_element_type(0).is_real();
  if (!whole) return {b.call("div", {b.input(node, 0), b.input(node, 1)})};
  const jit::NamedValue down("rounding_mode", std::string("floor"));
  return {b.call("div", {b.input(node, 0), b.input(node, 1)}, {down})};
}

/// A single number that does not depend on the picture.
std::optional<double> number(GraphBuilder& b, const ov::Node& node, std::size_t i) {
  const auto tensor = b.known(node, i);
  if (!tensor || tensor->numel() != 1) return std::nullopt;
  // A dimension of its own would be lost where the other operand has fewer.
  if (static_cast<std::size_t>(tensor->dim()) > node.get_output_shape(0).size())
    return std::nullopt;
  if (node.get_output_shape(0) != node.get_input_shape(1 - i)) return std::nullopt;
  return tensor->item().toDouble();
}

JitValues power(GraphBuilder& b, const ov::Node& node) {
  const auto exponent = number(b, node, 1);
  if (exponent == 2.0) return {b.call("square", {b.input(node, 0)})};
  if (exponent == 0.5) return {b.call("sqrt", {b.input(node, 0)})};
  if (exponent) return {b.call("pow", {b.input(node, 0), *exponent})};
  return {b.call("pow", {b.input(node, 0), b.input(node, 1)})};
}

/// Against a number as a clamp: maximum() and minimum() halve the gradient where both are equal,
/// and a ReLU6 that an exporter spelled so has none there.
Rule bound(const std::string& clamp, const std::string& general) {
  return [clamp, general](GraphBuilder& b, const ov::Node& node) -> JitValues {
    require_numpy_broadcast(node);
    for (std::size_t i = 0; i < 2; ++i) {
      if (const auto limit = number(b, node, i); limit && node.get_input_element_type(0).is_real())
        return {b.call(clamp, {b.input(node, 1 - i), *limit})};
    }
    return {b.call(general, {b.input(node, 0), b.input(node, 1)})};
  };
}

JitValues clamp(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  const double low = attributes.real("min");
  const double high = attributes.real("max");
  if (low == 0 && high == 6) return {b.call("relu6", {b.input(node, 0)})};
  return {b.call("clamp", {b.input(node, 0), low, high})};
}

JitValues squared_difference(GraphBuilder& b, const ov::Node& node) {
  return {b.call("square", {b.call("sub", {b.input(node, 0), b.input(node, 1)})})};
}

/// A slope for each channel, which is dimension 1.
JitValues prelu(GraphBuilder& b, const ov::Node& node) {
  auto slope = b.known(node, 1);
  if (!slope) throw std::runtime_error("has a slope that depends on the picture");
  const std::size_t dims = node.get_input_shape(0).size();
  if (slope->dim() == 1 && slope->numel() > 1 && dims > 1) {
    Ints shape(dims, 1);
    shape[1] = slope->numel();
    slope = slope->reshape(shape);
  }
  jit::Value* const x = b.input(node, 0);
  jit::Value* const negative = b.call("clamp_max", {x, 0.0});
  return {b.call(
      "add", {b.call("relu", {x}), b.call("mul", {negative, b.graph().insertConstant(*slope)})})};
}

JitValues swish(GraphBuilder& b, const ov::Node& node) {
  jit::Value* const x = b.input(node, 0);
  if (node.get_input_size() < 2) return {b.call("silu", {x})};
  return {b.call("mul", {x, b.call("sigmoid", {b.call("mul", {x, b.input(node, 1)})})})};
}

JitValues gelu(GraphBuilder& b, const ov::Node& node) {
  const std::string mode = Attributes(node).text("approximation_mode", "erf");
  const std::string form = mode == "tanh" || mode == "TANH" ? "tanh" : "none";
  return {b.call("gelu", {b.input(node, 0)}, {jit::NamedValue("approximate", form)})};
}

JitValues elu(GraphBuilder& b, const ov::Node& node) {
  return {b.call("elu", {b.input(node, 0), Attributes(node).real("alpha", 1)})};
}

JitValues hard_sigmoid(GraphBuilder& b, const ov::Node& node) {
  jit::Value* const line =
      b.call("add", {b.call("mul", {b.input(node, 0), b.input(node, 1)}), b.input(node, 2)});
  return {b.call("clamp", {line, 0.0, 1.0})};
}

JitValues selu(GraphBuilder& b, const ov::Node& node) {
  jit::Value* const x = b.input(node, 0);
  jit::Value* const negative =
      b.call("mul", {b.input(node, 1), b.call("expm1", {b.call("clamp_max", {x, 0.0})})});
  return {b.call("mul", {b.input(node, 2), b.call("add", {b.call("relu", {x}), negative})})};
}

JitValues softsign(GraphBuilder& b, const ov::Node& node) {
  jit::Value* const x = b.input(node, 0);
  return {b.call("div", {x, b.call("add", {b.call("abs", {x}), 1.0})})};
}

JitValues select(GraphBuilder& b, const ov::Node& node) {
  jit::Value* const condition =
      b.call("to", {b.input(node, 0), static_cast<std::int64_t>(at::kBool)});
  return {b.call("where", {condition, b.input(node, 1), b.input(node, 2)})};
}

JitValues same(GraphBuilder& b, const ov::Node& node) { return {b.input(node, 0)}; }

}  // namespace

const Rules& elementwise_rules() {
  static const Rules kRules = {
      {"Abs", unary("abs")},
      {"Acos", unary("acos")},
      {"Add", add},
      {"Asin", unary("asin")},
      {"Atan", unary("atan")},
      {"Ceiling", unary("ceil")},
      {"Clamp", clamp},
      {"Cos", unary("cos")},
      {"Cosh", unary("cosh")},
      {"Divide", divide},
      {"Elu", elu},
      {"Equal", binary("eq")},
      {"Erf", unary("erf")},
      {"Exp", unary("exp")},
      {"Floor", unary("floor")},
      {"FloorMod", binary("remainder")},
      {"Gelu", gelu},
      {"Greater", binary("gt")},
      {"GreaterEqual", binary("ge")},
      {"HSigmoid", unary("hardsigmoid")},
      {"HSwish", unary("hardswish")},
      {"HardSigmoid", hard_sigmoid},
      {"Identity", same},
      {"Less", binary("lt")},
      {"LessEqual", binary("le")},
      {"Log", unary("log")},
      {"LogicalAnd", binary("logical_and")},
      {"LogicalNot", unary("logical_not")},
      {"LogicalOr", binary("logical_or")},
      {"LogicalXor", binary("logical_xor")},
      {"Maximum", bound("clamp_min", "maximum")},
      {"Minimum", bound("clamp_max", "minimum")},
      {"Mish", unary("mish")},
      {"Mod", binary("fmod")},
      {"Multiply", multiply},
      {"Negative", unary("neg")},
      {"NotEqual", binary("ne")},
      {"PRelu", prelu},
      {"Power", power},
      {"Relu", unary("relu")},
      {"Select", select},
      {"Selu", selu},
      {"Sigmoid", unary("sigmoid")},
      {"Sign", unary("sign")},
      {"Sin", unary("sin")},
      {"Sinh", unary("sinh")},
      {"SoftPlus", unary("softplus")},
      {"SoftSign", softsign},
      {"Sqrt", unary("sqrt")},
      {"SquaredDifference", squared_difference},
      {"Subtract", binary("sub")},
      {"Swish", swish},
      {"Tan", unary("tan")},
      {"Tanh", unary("tanh")},
  };
  return kRules;
}

}  // namespace gradcam
