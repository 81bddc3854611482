#include "stages/explain/graph/local_operation.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "stages/explain/graph/local_rules.h"

namespace gradcam {
namespace local {
namespace {

namespace jit = torch::jit;
using Parts = std::vector<at::Tensor>;

/// The operation as it is, with parts in the place of some of its tensors.
class Call {
 public:
  explicit Call(const Subject& subject) : operation_(subject.node.getOperation()) {
    for (const jit::Value* input : subject.node.inputs()) {
      const std::size_t place = arguments_.size();
      if (!subject.known.varies(input)) {
        arguments_.push_back(subject.known.constant(input));
        continue;
      }
      arguments_.emplace_back();
      if (subject.known.shape(input)) {
        add(place, {input, {}});
        continue;
      }
      const jit::Node& list = *input->node();
      if (list.kind() != c10::prim::ListConstruct) refuse(subject, "takes what is no tensor");
      lists_[place] = list.inputs().size();
      for (const jit::Value* element : list.inputs()) {
        const bool varies = subject.known.varies(element);
        subject.shape_of(element);  // throws for what is no tensor
        add(place, {element, varies ? at::Tensor() : subject.known.constant(element).toTensor()});
      }
    }
  }

  const std::vector<LocalOperand>& operands() const { return operands_; }
  const jit::Stack& arguments() const { return arguments_; }
  /// Another operand, in the place of an argument.
  void add(std::size_t argument, LocalOperand operand) {
    places_.push_back(argument);
    operands_.push_back(std::move(operand));
  }

  at::Tensor operator()(const Parts& parts) const {
    jit::Stack stack = arguments_;
    for (const auto& [argument, size] : lists_) stack[argument] = c10::List<at::Tensor>();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      c10::IValue& argument = stack[places_[i]];
      if (lists_.count(places_[i]) > 0) {
        argument.toTensorList().push_back(parts[i]);
      } else {
        argument = parts[i];
      }
    }
    operation_(stack);
    return stack.back().toTensor();
  }

 private:
  mutable jit::Operation operation_;  ///< of which calling changes nothing
  jit::Stack arguments_;
  std::map<std::size_t, std::size_t> lists_;  ///< which of them are lists, and how long
  std::vector<std::size_t> places_;           ///< of the operands, in the arguments
  std::vector<LocalOperand> operands_;
};

Numbers shape_of(const Subject& subject, const LocalOperand& operand) {
  return operand.constant.defined() ? operand.constant.sizes().vec()
                                    : subject.shape_of(operand.value);
}

bool broadcasts(const Numbers& from, const Numbers& to) {
  if (from.size() > to.size()) return false;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    const std::int64_t size = from[from.size() - i];
    if (size != 1 && size != to[to.size() - i]) return false;
  }
  return true;
}

/// Of an operand of this shape, where `wanted` is of the result that it is broadcast to.
Region before_broadcast(const Region& wanted, const Numbers& shape) {
  Region region(wanted.end() - static_cast<std::ptrdiff_t>(shape.size()), wanted.end());
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) region[d] = {0, 1};
  }
  return region;
}

using Make = std::function<LocalOperation(const Subject&)>;

std::map<std::string_view, Make> rules_by_name() {
  std::map<std::string_view, Make> rules;
  for (const char* name :
       {"abs",        "add",    "alias",      "atan",    "ceil",        "clamp",     "clamp_max",
        "clamp_min",  "clone",  "contiguous", "cos",     "detach",      "div",       "elu",
        "erf",        "exp",    "floor",      "gelu",    "hardsigmoid", "hardswish", "hardtanh",
        "leaky_relu", "log",    "log1p",      "maximum", "minimum",     "mish",      "mul",
        "neg",        "pow",    "reciprocal", "relu",    "relu6",       "round",     "rsqrt",
        "rsub",       "selu",   "sigmoid",    "sign",    "silu",        "sin",       "softplus",
        "sqrt",       "square", "sub",        "tanh",    "to",          "where"}) {
    rules[name] = &pointwise;
  }
  for (const char* name :
       {"view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten", "_unsafe_view"}) {
    rules[name] = &reshaping;
  }
  for (const char* name : {"conv2d", "_convolution", "convolution"}) rules[name] = &convolution;
  for (const char* name : {"max_pool2d", "avg_pool2d"}) rules[name] = &pooling;
  rules["upsample_nearest2d"] = &enlarging;
  for (const char* name : {"cat", "concat"}) rules[name] = &joining;
  for (const char* name : {"slice", "narrow"}) {
    rules[name] = [](const Subject& subject) { return slicing(subject, "start"); };
  }
  rules["select"] = [](const Subject& subject) { return slicing(subject, "index"); };
  rules["permute"] = &permuting;
  rules["transpose"] = &transposing;
  rules["prim::ListUnpack"] = &part_of_list;
  for (const char* name : {"softmax", "log_softmax"}) {
    rules[name] = [](const Subject& subject) {
      const auto dim = subject.known.number(subject.node, "dim");
      return dim ? along(subject, dimension(*dim, subject.shape.size()))
                 : on_whole_operands(subject);
    };
  }
  rules["batch_norm"] = [](const Subject& subject) {
    const bool trains = subject.known.flag(subject.node, "training").value_or(true);
    return trains || subject.shape.size() < 2 ? on_whole_operands(subject) : along(subject, 1);
  };
  rules["dropout"] = [](const Subject& subject) {
    const bool trains = subject.known.flag(subject.node, "train").value_or(true);
    return trains ? on_whole_operands(subject) : pointwise(subject);
  };
  // Matrices that are the same for all pictures.
  for (const char* name : {"linear", "matmul"}) {
    rules[name] = [](const Subject& subject) {
      const bool fits = subject.known.varies(subject.operand()) && subject.shape.size() > 1 &&
                        !subject.known.varies(subject.node.input(1)) &&
                        subject.shape_of(subject.node.input(1)).size() == 2;
      return fits ? along(subject, subject.shape.size() - 1) : on_whole_operands(subject);
    };
  }
  return rules;
}

}  // namespace

std::string Subject::name() const {
  return node.kind().is_aten() ? node.kind().toUnqualString() : node.kind().toQualString();
}

Numbers Subject::shape_of(const jit::Value* value) const {
  if (const auto found = known.shape(value)) return *found;
  if (known.varies(value) || !known.constant(value).isTensor()) {
    refuse(*this, "takes what is no tensor");
  }
  return known.constant(value).toTensor().sizes().vec();
}

void refuse(const Subject& subject, const std::string& why) {
  throw std::runtime_error(subject.name() + " " + why);
}

std::size_t dimension(std::int64_t d, std::size_t rank) {
  return static_cast<std::size_t>(d < 0 ? d + static_cast<std::int64_t>(rank) : d);
}

LocalOperation on_whole_operands(const Subject& subject) {
  const Call call(subject);
  LocalNeed need{all_of(subject.shape), {}};
  for (const LocalOperand& operand : call.operands()) {
    need.operands.emplace_back(all_of(shape_of(subject, operand)));
  }
  return {call.operands(), false, [need](const Region&) { return need; },
          [call](const Parts& parts, const LocalNeed&) { return call(parts); }};
}

LocalOperation pointwise(const Subject& subject) {
  Call call(subject);
  for (std::size_t i = 0; i < call.arguments().size(); ++i) {
    const c10::IValue& argument = call.arguments()[i];
    if (!argument.isTensor() || argument.toTensor().numel() < 2) continue;
    // With as many dimensions as the result, so that it may be another for each of a batch.
    Numbers shape = argument.toTensor().sizes().vec();
    if (shape.size() < subject.shape.size()) {
      shape.insert(shape.begin(), subject.shape.size() - shape.size(), 1);
    }
    call.add(i, {subject.node.input(i), argument.toTensor().reshape(shape)});
  }
  std::vector<Numbers> shapes;
  bool takes_batch = true;
  for (const LocalOperand& operand : call.operands()) {
    shapes.push_back(shape_of(subject, operand));
    if (!broadcasts(shapes.back(), subject.shape)) return on_whole_operands(subject);
    takes_batch &= shapes.back().size() == subject.shape.size();
  }
  const auto need = [shapes](const Region& wanted) {
    LocalNeed found{wanted, {}};
    for (const Numbers& shape : shapes) {
      found.operands.emplace_back(before_broadcast(wanted, shape));
    }
    return found;
  };
  return {call.operands(), takes_batch, need,
          [call](const Parts& parts, const LocalNeed&) { return call(parts); }};
}

LocalOperation along(const Subject& subject, std::size_t d) {
  const Call call(subject);
  if (call.operands().size() != 1) return on_whole_operands(subject);
  const Numbers from = subject.shape_of(call.operands()[0].value);
  if (from.size() != subject.shape.size()) return on_whole_operands(subject);
  const auto need = [d, of = from[d], to = subject.shape[d]](const Region& wanted) {
    LocalNeed found{wanted, {wanted}};
    found.operands[0]->at(d) = {0, of};
    found.result[d] = {0, to};
    return found;
  };
  return {call.operands(), d != 0, need,
          [call](const Parts& parts, const LocalNeed&) { return call(parts); }};
}

}  // namespace local

LocalOperation local_operation(const torch::jit::Value* result, const RecordedValues& known) {
  static const auto kRules = local::rules_by_name();
  const torch::jit::Node& node = *result->node();
  const local::Subject subject{result, node, known, known.shape(result).value_or(local::Numbers())};
  const std::string name = subject.name();
  if (!known.shape(result)) local::refuse(subject, "gives what is no tensor");
  if (node.kind().is_aten() && name.ends_with('_')) local::refuse(subject, "writes in place");
  if (node.kind() != c10::prim::ListUnpack && node.outputs().size() != 1) {
    local::refuse(subject, "gives several results");
  }
  const auto rule = kRules.find(name);
  LocalOperation operation =
      rule != kRules.end() ? rule->second(subject) : local::on_whole_operands(subject);
  // The first dimension is that of the pictures, and stays it.
  const auto is_one = [&](const LocalOperand& operand) {
    const local::Numbers shape = local::shape_of(subject, operand);
    return !shape.empty() && shape[0] == 1;
  };
  operation.takes_batch &= !subject.shape.empty() && subject.shape[0] == 1 &&
                           std::ranges::all_of(operation.operands, is_one);
  return operation;
}

}  // namespace gradcam
