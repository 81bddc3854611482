#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "stages/explain/import/attributes.h"
#include "stages/explain/import/operations.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

constexpr auto kLong = static_cast<std::int64_t>(at::kLong);

Ints sizes(const ov::Shape& shape) { return {shape.begin(), shape.end()}; }

/// How many numbers lie in the dimensions from `first` to one in front of `last`.
std::int64_t count(const ov::Shape& shape, std::size_t first, std::size_t last) {
  return static_cast<std::int64_t>(std::accumulate(
      shape.begin() + static_cast<std::ptrdiff_t>(first),
      shape.begin() + static_cast<std::ptrdiff_t>(last), std::size_t{1}, std::multiplies<>()));
}

/// With that dimension left open, so that it takes as many pictures as come.
Ints open_at(Ints sizes, std::optional<std::size_t> axis) {
  if (axis) sizes.at(*axis) = -1;
  return sizes;
}

jit::Value* as_output(GraphBuilder& b, const ov::Node& node, jit::Value* value) {
  const Ints shape = sizes(node.get_output_shape(0));
  return b.call("reshape", {value, open_at(shape, b.batch_axis(node))});
}

/// Places along dimensions of these sizes, one for each of the last dimension's numbers or one for
/// all, counted from the front: the files count from the end, too. Whole numbers that the network
/// computes may be floats (convert()); no gradient leads through them.
jit::Value* places(GraphBuilder& b, const ov::Node& node, std::size_t input, const Ints& along) {
  Ints divisors = along;
  for (std::int64_t& size : divisors) size = std::max<std::int64_t>(size, 1);
  const at::Tensor divisor = at::tensor(divisors);
  if (const auto known = b.known(node, input)) {
    const at::Tensor index = known->to(at::kLong).remainder(divisor);
    return b.graph().insertConstant(index.reshape(known->sizes()).contiguous());
  }
  jit::Value* const whole = b.call("to", {b.input(node, input), kLong});
  if (divisors.size() == 1) return b.call("remainder", {whole, divisors[0]});
  return b.call("remainder", {whole, b.graph().insertConstant(divisor)});
}

/// Data and places of the same number of dimensions, or of which the first are the pictures'. Where
/// one of both is the same for every picture it is repeated for each.
struct Pair {
  jit::Value* data;
  jit::Value* index;
};

Pair for_each_picture(GraphBuilder& b, const ov::Node& node, Pair pair, const Ints& data,
                      const Ints& index, std::size_t axis) {
  const bool data_grows = b.batch_axis(*node.get_input_node_ptr(0)).has_value();
  const bool index_grows = b.batch_axis(*node.get_input_node_ptr(1)).has_value();
  if (data_grows && !index_grows) {
    pair.index = b.call("expand", {pair.index, b.sizes_like(pair.data, axis, index)});
  }
  if (index_grows && !data_grows) {
    pair.data = b.call("expand", {pair.data, b.sizes_like(pair.index, axis, data)});
  }
  return pair;
}

/// Each of the first `shared` dimensions' parts has places of its own.
JitValues gather_in_each(GraphBuilder& b, const ov::Node& node, std::size_t axis,
                         std::size_t shared) {
  const ov::Shape& from = node.get_input_shape(0);
  const ov::Shape& of_index = node.get_input_shape(1);
  const auto size = static_cast<std::int64_t>(from.at(axis));
  const std::int64_t parts = count(from, 0, shared);
  const Ints data{parts, count(from, shared, axis), size, count(from, axis + 1, from.size())};
  const std::int64_t chosen = count(of_index, shared, of_index.size());
  const Pair apart{
      b.call("reshape", {b.input(node, 0), open_at(data, 0)}),
      b.call("reshape", {places(b, node, 1, {size}), Ints{-1, 1, chosen, 1}}),
  };
  const Pair both = for_each_picture(b, node, apart, data, {parts, 1, chosen, 1}, 0);
  jit::Value* const index = b.call("expand", {both.index, Ints{-1, data[1], chosen, data[3]}});
  return {as_output(b, node, b.call("gather", {both.data, 2, index}))};
}

JitValues gather(GraphBuilder& b, const ov::Node& node) {
  const ov::Shape& shape = node.get_input_shape(0);
  const ov::Shape& of_index = node.get_input_shape(1);
  const std::size_t axis = from_front(b.ints(node, 2).at(0), shape.size());
  const std::size_t shared = from_front(Attributes(node).integer("batch_dims"), of_index.size());
  if (shared > 0) return gather_in_each(b, node, axis, shared);
  const auto along = static_cast<std::int64_t>(axis);
  jit::Value* const x = b.input(node, 0);
  jit::Value* index = places(b, node, 1, {static_cast<std::int64_t>(shape.at(axis))});
  if (of_index.empty()) {
    if (const auto known = jit::toIValue(index)) {
      return {b.call("select", {x, along, known->toTensor().item<std::int64_t>()})};
    }
    index = b.call("reshape", {index, Ints{1}});
    return {b.call("squeeze", {b.call("index_select", {x, along, index}), along})};
  }
  if (of_index.size() == 1) return {b.call("index_select", {x, along, index})};
  jit::Value* const flat = b.call("reshape", {index, Ints{-1}});
  // Of pictures that have both data and places of their own, one alone is computed right: the
  // sizes stay closed.
  const bool same_data = !b.depends_on_picture(node.input_value(0));
  const Ints apart = sizes(of_index);
  const auto pictures = b.batch_axis(*node.get_input_node_ptr(1));
  return {b.call("unflatten", {b.call("index_select", {x, along, flat}), along,
                               same_data ? open_at(apart, pictures) : apart})};
}

JitValues gather_elements(GraphBuilder& b, const ov::Node& node) {
  const ov::Shape& shape = node.get_input_shape(0);
  const std::size_t axis = from_front(Attributes(node).integer("axis"), shape.size());
  Pair pair{b.input(node, 0), places(b, node, 1, {static_cast<std::int64_t>(shape.at(axis))})};
  if (const auto batch = b.batch_axis(node)) {
    pair = for_each_picture(b, node, pair, sizes(shape), sizes(node.get_input_shape(1)), *batch);
  }
  return {b.call("gather", {pair.data, static_cast<std::int64_t>(axis), pair.index})};
}

/// Places in several dimensions at once, as places in one: those laid one behind the other.
jit::Value* places_in_one(GraphBuilder& b, const ov::Node& node, const Ints& along) {
  Ints steps(along.size(), 1);
  for (std::size_t i = steps.size() - 1; i-- > 0;) steps[i] = steps[i + 1] * along[i + 1];
  jit::Value* const index = places(b, node, 1, along);
  const at::Tensor step = at::tensor(steps);
  if (const auto known = jit::toIValue(index)) {
    return b.graph().insertConstant((known->toTensor() * step).sum(-1));
  }
  return b.call("sum", {b.call("mul", {index, b.graph().insertConstant(step)}), Ints{-1}});
}

JitValues gather_nd(GraphBuilder& b, const ov::Node& node) {
  const ov::Shape& shape = node.get_input_shape(0);
  const ov::Shape& of_index = node.get_input_shape(1);
  const auto shared = static_cast<std::size_t>(Attributes(node).integer("batch_dims"));
  const std::size_t behind = shared + of_index.back();
  const Ints all = sizes(shape);
  const Ints along(all.begin() + static_cast<std::ptrdiff_t>(shared),
                   all.begin() + static_cast<std::ptrdiff_t>(behind));
  jit::Value* const index = places_in_one(b, node, along);
  const std::int64_t in_one = count(shape, shared, behind);
  const std::int64_t rest = count(shape, behind, shape.size());
  if (shared == 0) {
    const auto batch = b.batch_axis(*node.get_input_node_ptr(0));
    const bool in_rest = batch && *batch >= behind;
    jit::Value* const rows =
        b.call("reshape", {b.input(node, 0), Ints{in_one, in_rest ? -1 : rest}});
    jit::Value* const flat = b.call("reshape", {index, Ints{-1}});
    return {as_output(b, node, b.call("index_select", {rows, 0, flat}))};
  }
  const std::int64_t parts = count(shape, 0, shared);
  const std::int64_t chosen = count(of_index, shared, of_index.size() - 1);
  const Pair apart{b.call("reshape", {b.input(node, 0), Ints{-1, in_one, rest}}),
                   b.call("reshape", {index, Ints{-1, chosen, 1}})};
  const Pair both = for_each_picture(b, node, apart, {parts, in_one, rest}, {parts, chosen, 1}, 0);
  jit::Value* const each = b.call("expand", {both.index, Ints{-1, chosen, rest}});
  return {as_output(b, node, b.call("gather", {both.data, 1, each}))};
}

JitValues scatter_nd_update(GraphBuilder& b, const ov::Node& node) {
  const std::string how = Attributes(node).text("reduction", "none");
  if (how != "none" && how != "sum") throw std::runtime_error("has reduction " + how);
  const auto dims = static_cast<std::ptrdiff_t>(node.get_input_shape(1).back());
  const Ints all = sizes(node.get_input_shape(0));
  jit::Value* const index = places(b, node, 1, {all.begin(), all.begin() + dims});
  JitValues each;
  for (std::ptrdiff_t i = 0; i < dims; ++i) each.push_back(b.call("select", {index, -1, i}));
  const auto optional = c10::OptionalType::create(c10::TensorType::get());
  jit::Value* const list = b.graph().insertNode(b.graph().createList(optional, each))->output();
  return {b.call("index_put", {b.input(node, 0), list, b.input(node, 2), how == "sum"})};
}

/// The places of the largest numbers have no gradient, the numbers have that of where they stood.
JitValues top_k(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  const std::int64_t axis = attributes.integer("axis");
  const bool largest = attributes.text("mode") == "max";
  jit::Value* const both =
      b.call("topk", {b.input(node, 0), b.ints(node, 1).at(0), axis, largest, true});
  const auto unpacked = jit::createTupleUnpack(both);
  return {unpacked.begin(), unpacked.end()};
}

}  // namespace

const Rules& gathering_rules() {
  static const Rules kRules = {
      {"Gather", gather},      {"GatherElements", gather_elements},
      {"GatherND", gather_nd}, {"ScatterNDUpdate", scatter_nd_update},
      {"TopK", top_k},
  };
  return kRules;
}

}  // namespace gradcam
