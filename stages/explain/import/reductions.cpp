#include <ATen/core/Tensor.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "config/text.h"
#include "stages/explain/import/attributes.h"
#include "stages/explain/import/operations.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

/// Over these axes, from 0 and in order.
Ints axes_of(GraphBuilder& b, const ov::Node& node, std::size_t input) {
  Ints axes = b.ints(node, input);
  for (std::int64_t& axis : axes) {
    axis = static_cast<std::int64_t>(from_front(axis, node.get_input_shape(0).size()));
  }
  std::ranges::sort(axes);
  return axes;
}

using Reduce = std::function<jit::Value*(GraphBuilder&, jit::Value*, const Ints&, bool keep)>;

Rule reduction(const Reduce& reduce) {
  return [reduce](GraphBuilder& b, const ov::Node& node) -> JitValues {
    const Ints axes = axes_of(b, node, 1);
    if (axes.empty()) return {b.input(node, 0)};
    return {reduce(b, b.input(node, 0), axes, Attributes(node).flag("keep_dims"))};
  };
}

Rule reduction_by(const std::string& name) {
  return reduction([name](GraphBuilder& b, jit::Value* x, const Ints& axes, bool keep) {
    return b.call(name, {x, axes, keep});
  });
}

jit::Value* sum(GraphBuilder& b, jit::Value* x, const Ints& axes, bool keep) {
  return b.call("sum", {x, axes, keep});
}

jit::Value* product(GraphBuilder& b, jit::Value* x, const Ints& axes, bool keep) {
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) x = b.call("prod", {x, *axis, keep});
  return x;
}

JitValues matmul(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  const auto operand = [&](std::size_t i, bool transposed) {
    jit::Value* const value = b.float_input(node, i);
    const bool is_matrix = node.get_input_shape(i).size() > 1;
    return transposed && is_matrix ? b.call("transpose", {value, -1, -2}) : value;
  };
  const bool first = attributes.flag("transpose_a");
  const bool second = attributes.flag("transpose_b");
  const auto weight = b.known(node, 1);
  // The form in which LibTorch, and whoever looks for the last matrix, knows a linear layer.
  if (weight && weight->dim() == 2) {
    const at::Tensor rows = second ? *weight : weight->t();
    jit::Value* const matrix = b.graph().insertConstant(rows.to(at::kFloat).contiguous());
    return {b.call("linear", {operand(0, first), matrix, c10::IValue()})};
  }
  return {b.call("matmul", {operand(0, first), operand(1, second)})};
}

JitValues softmax(GraphBuilder& b, const ov::Node& node) {
  const std::int64_t axis = Attributes(node).integer("axis", 1);
  const bool logarithm = std::string(node.get_type_name()) == "LogSoftmax";
  return {b.call(logarithm ? "log_softmax" : "softmax", {b.input(node, 0), axis, c10::IValue()})};
}

/// Mean and, unless said otherwise, variance are made 0 and 1 over the axes.
JitValues mvn(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  const bool variance = attributes.flag("normalize_variance", true);
  const double eps = attributes.real("eps", 1e-9);
  const bool inside = lower_case(attributes.text("eps_mode", "inside_sqrt")) != "outside_sqrt";
  if (node.get_input_size() < 2) throw std::runtime_error("is of an old operation set");
  const ov::Shape& shape = node.get_input_shape(0);
  const Ints axes = axes_of(b, node, 1);
  const std::size_t first = shape.size() - axes.size();
  const bool last_ones = axes.empty() || axes[0] == static_cast<std::int64_t>(first);
  jit::Value* const x = b.input(node, 0);
  if (last_ones && variance && inside) {
    const Ints size(shape.begin() + static_cast<std::ptrdiff_t>(first), shape.end());
    return {b.call("layer_norm", {x, size, c10::IValue(), c10::IValue(), eps, false})};
  }
  jit::Value* const centred = b.call("sub", {x, b.call("mean", {x, axes, true})});
  if (!variance) return {centred};
  jit::Value* const spread = b.call("mean", {b.call("square", {centred}), axes, true});
  if (inside) {
    return {b.call("mul", {centred, b.call("rsqrt", {b.call("add", {spread, eps})})})};
  }
  return {b.call("div", {centred, b.call("add", {b.call("sqrt", {spread}), eps})})};
}

JitValues batch_norm(GraphBuilder& b, const ov::Node& node) {
  const double eps = Attributes(node).real("epsilon");
  // OpenVINO: data, gamma, beta, mean, variance.
  return {b.call("batch_norm", {b.input(node, 0), b.input(node, 1), b.input(node, 2),
                                b.input(node, 3), b.input(node, 4), false, 0.0, eps, false})};
}

JitValues group_norm(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  return {
      b.call("group_norm", {b.input(node, 0), attributes.integer("num_groups"), b.input(node, 1),
                            b.input(node, 2), attributes.real("epsilon"), false})};
}

JitValues normalize_l2(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  const double eps = attributes.real("eps");
  jit::Value* const x = b.input(node, 0);
  jit::Value* const squares = sum(b, b.call("square", {x}), axes_of(b, node, 1), true);
  jit::Value* const safe = attributes.text("eps_mode") == "max"
                               ? b.call("clamp_min", {squares, eps})
                               : b.call("add", {squares, eps});
  return {b.call("div", {x, b.call("sqrt", {safe})})};
}

JitValues cumulative_sum(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  if (attributes.flag("exclusive") || attributes.flag("reverse")) {
    throw std::runtime_error("is exclusive or runs backwards");
  }
  return {b.call("cumsum", {b.input(node, 0), b.ints(node, 1).at(0)})};
}

JitValues einsum(GraphBuilder& b, const ov::Node& node) {
  const std::string equation = Attributes(node).text("equation");
  return {b.call("einsum", {equation, b.list(b.inputs(node))})};
}

JitValues attention(GraphBuilder& b, const ov::Node& node) {
  const bool causal = Attributes(node).flag("causal");
  const std::size_t given = node.get_input_size();
  if (given > 5) throw std::runtime_error("has a sink");
  std::vector<jit::NamedValue> arguments{b.input(node, 0), b.input(node, 1), b.input(node, 2)};
  const bool masked = given > 3 && node.get_input_partial_shape(3).rank().get_length() > 0;
  if (masked && !causal) {
    arguments.emplace_back(b.input(node, 3));
  } else {
    arguments.emplace_back(c10::IValue());
  }
  arguments.emplace_back(0.0);
  arguments.emplace_back(causal);
  std::vector<jit::NamedValue> named;
  if (given > 4) {
    const auto scale = b.known(node, 4);
    if (!scale) throw std::runtime_error("has a scale that depends on the picture");
    named.emplace_back("scale", scale->item().toDouble());
  }
  return {b.call("scaled_dot_product_attention", arguments, named)};
}

}  // namespace

const Rules& reduction_rules() {
  static const Rules kRules = {
      {"BatchNormInference", batch_norm},
      {"CumSum", cumulative_sum},
      {"Einsum", einsum},
      {"GroupNormalization", group_norm},
      {"LogSoftmax", softmax},
      {"MVN", mvn},
      {"MatMul", matmul},
      {"NormalizeL2", normalize_l2},
      {"ReduceL1", reduction([](GraphBuilder& b, jit::Value* x, const Ints& axes, bool keep) {
         return sum(b, b.call("abs", {x}), axes, keep);
       })},
      {"ReduceL2", reduction([](GraphBuilder& b, jit::Value* x, const Ints& axes, bool keep) {
         return b.call("sqrt", {sum(b, b.call("square", {x}), axes, keep)});
       })},
      {"ReduceMax", reduction_by("amax")},
      {"ReduceMean", reduction_by("mean")},
      {"ReduceMin", reduction_by("amin")},
      {"ReduceProd", reduction(product)},
      {"ReduceSum", reduction(sum)},
      {"ScaledDotProductAttention", attention},
      {"Softmax", softmax},
  };
  return kRules;
}

}  // namespace gradcam
