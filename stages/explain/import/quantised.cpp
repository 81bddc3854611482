#include <ATen/TensorOperators.h>

#include <stdexcept>

#include "stages/explain/import/attributes.h"
#include "stages/explain/import/operations.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

/// The value of `hard`, the gradient of `soft` (Bengio 2013, the straight-through estimator).
jit::Value* straight_through(GraphBuilder& b, jit::Value* hard, jit::Value* soft) {
  return b.call("add", {soft, b.call("detach", {b.call("sub", {hard, soft})})});
}

/// Which type of numbers comes out. A step that only rounds passes the gradient: of a quantised
/// network the whole numbers stay floats.
JitValues convert(GraphBuilder& b, const ov::Node& node) {
  jit::Value* const x = b.input(node, 0);
  const ov::element::Type from = node.get_input_element_type(0);
  const ov::element::Type to = node.get_output_element_type(0);
  if (to == ov::element::boolean) return {b.call("ne", {x, 0})};
  if (to.is_real()) return {b.call("to", {x, static_cast<std::int64_t>(at::kFloat)})};
  if (!from.is_real()) return {x};
  return {straight_through(b, b.call("trunc", {x}), x)};
}

JitValues round(GraphBuilder& b, const ov::Node& node) {
  if (Attributes(node).text("mode", "half_to_even") == "half_away_from_zero") {
    throw std::runtime_error("rounds halves away from zero");
  }
  jit::Value* const x = b.input(node, 0);
  return {straight_through(b, b.call("round", {x}), x)};
}

/// Rounds to one of `levels` numbers between two ends. A range that begins at zero is an
/// activation function, too, and passes no gradient outside; half a step of slack, since the
/// largest score of all, that of the class to explain, lies at the range's very end.
JitValues fake_quantize(GraphBuilder& b, const ov::Node& node) {
  const auto levels = static_cast<double>(Attributes(node).integer("levels"));
  for (std::size_t i = 1; i < 5; ++i) {
    if (!b.known(node, i)) throw std::runtime_error("has a range that depends on the picture");
  }
  const at::Tensor low = *b.known(node, 1);
  const at::Tensor range = *b.known(node, 2) - low;
  const at::Tensor out_low = *b.known(node, 3);
  const at::Tensor out_range = *b.known(node, 4) - out_low;
  const auto constant = [&](const at::Tensor& value) { return b.graph().insertConstant(value); };
  const auto out = [&](jit::Value* share) {
    return b.call("add", {b.call("mul", {share, constant(out_range)}), constant(out_low)});
  };
  jit::Value* const share =
      b.call("div", {b.call("sub", {b.input(node, 0), constant(low)}), constant(range)});
  jit::Value* const inside = b.call("clamp", {share, 0.0, 1.0});
  jit::Value* const whole =
      b.call("div", {b.call("round", {b.call("mul", {inside, levels - 1})}), levels - 1});
  const double slack = 0.5 / (levels - 1);
  const bool is_activation = (low >= 0).all().item<bool>();
  jit::Value* const soft = is_activation ? b.call("clamp", {share, -slack, 1 + slack}) : share;
  return {straight_through(b, out(whole), out(soft))};
}

}  // namespace

const Rules& quantised_rules() {
  static const Rules kRules = {{"Convert", convert},
                               {"ConvertLike", convert},
                               {"FakeQuantize", fake_quantize},
                               {"Round", round}};
  return kRules;
}

}  // namespace gradcam
