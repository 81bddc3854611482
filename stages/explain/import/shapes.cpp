#include <ATen/TensorOperators.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "stages/explain/import/attributes.h"
#include "stages/explain/import/operations.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

std::int64_t wrapped(std::int64_t axis, const ov::Shape& shape) {
  return static_cast<std::int64_t>(from_front(axis, shape.size()));
}

Ints sizes(const ov::Shape& shape) { return {shape.begin(), shape.end()}; }

/// Reshape, Squeeze, Unsqueeze: the numbers stay in their order, and the output's shape says all.
/// The dimension of the pictures is left open, so that it takes as many as come.
JitValues reshape(GraphBuilder& b, const ov::Node& node) {
  Ints shape = sizes(node.get_output_shape(0));
  if (const auto axis = b.batch_axis(node)) shape[*axis] = -1;
  return {b.call("reshape", {b.input(node, 0), shape})};
}

JitValues transpose(GraphBuilder& b, const ov::Node& node) {
  Ints order = b.ints(node, 1);
  if (order.empty()) {
    order.resize(node.get_input_shape(0).size());
    std::iota(order.rbegin(), order.rend(), 0);
  }
  return {b.call("permute", {b.input(node, 0), order})};
}

/// A part that is the same for every picture, such as a class token, is repeated for each.
JitValues concat(GraphBuilder& b, const ov::Node& node) {
  const std::int64_t axis = wrapped(Attributes(node).integer("axis"), node.get_output_shape(0));
  const auto batch = b.batch_axis(node);
  std::size_t like = 0;
  while (like + 1 < node.get_input_size() && !b.batch_axis(*node.get_input_node_ptr(like))) ++like;
  JitValues parts = b.inputs(node);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!batch || b.batch_axis(*node.get_input_node_ptr(i)) ||
        axis == static_cast<std::int64_t>(*batch)) {
      continue;
    }
    if (node.get_input_shape(i).at(*batch) != 1) continue;
    const Ints shape = sizes(node.get_input_shape(i));
    jit::Value* const repeated = b.sizes_like(parts[like], *batch, shape);
    parts[i] = b.call("expand", {parts[i], repeated});
  }
  return {b.call("cat", {b.list(parts), axis})};
}

/// Parts along one axis, of these sizes.
JitValues parts(GraphBuilder& b, const ov::Node& node, std::int64_t axis) {
  JitValues values;
  std::int64_t start = 0;
  for (const auto& output : node.outputs()) {
    const auto size =
        static_cast<std::int64_t>(output.get_shape().at(static_cast<std::size_t>(axis)));
    values.push_back(b.call("slice", {b.input(node, 0), axis, start, start + size, 1}));
    start += size;
  }
  return values;
}

JitValues split(GraphBuilder& b, const ov::Node& node) {
  return parts(b, node, wrapped(b.ints(node, 1).at(0), node.get_input_shape(0)));
}

/// One axis from `first`, by `step`, as far as the output reaches; backwards, too.
jit::Value* sliced(GraphBuilder& b, jit::Value* x, std::int64_t axis, std::int64_t size,
                   std::int64_t start, std::int64_t stop, std::int64_t step) {
  const auto place = [&](std::int64_t at) { return at < 0 ? at + size : at; };
  if (step > 0) {
    return b.call("slice", {x, axis, std::clamp<std::int64_t>(place(start), 0, size),
                            std::clamp<std::int64_t>(place(stop), 0, size), step});
  }
  const std::int64_t first = std::clamp<std::int64_t>(place(start), -1, size - 1);
  const std::int64_t last = stop < -size ? -1 : std::clamp<std::int64_t>(place(stop), -1, size - 1);
  jit::Value* const part = b.call("slice", {x, axis, last + 1, first + 1, 1});
  jit::Value* const turned = b.call("flip", {part, Ints{axis}});
  return b.call("slice", {turned, axis, 0, size, -step});
}

JitValues slice(GraphBuilder& b, const ov::Node& node) {
  const ov::Shape& shape = node.get_input_shape(0);
  const Ints start = b.ints(node, 1);
  const Ints stop = b.ints(node, 2);
  const Ints step = b.ints(node, 3);
  Ints axes(start.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (node.get_input_size() > 4) axes = b.ints(node, 4);
  jit::Value* x = b.input(node, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = wrapped(axes[i], shape);
    const auto size = static_cast<std::int64_t>(shape.at(static_cast<std::size_t>(axis)));
    x = sliced(b, x, axis, size, start[i], stop[i], step[i]);
  }
  return {x};
}

/// As NumPy: x[begin:end:step], with new axes, single places and an ellipsis by masks.
JitValues strided_slice(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  const auto mask = [&](const char* name) { return attributes.ints(name); };
  const Ints begin_mask = mask("begin_mask");
  const Ints end_mask = mask("end_mask");
  const Ints fresh = mask("new_axis_mask");
  const Ints shrink = mask("shrink_axis_mask");
  const Ints ellipsis = mask("ellipsis_mask");
  const auto set = [](const Ints& bits, std::size_t i) { return i < bits.size() && bits[i] != 0; };
  const Ints begin = b.ints(node, 1);
  const Ints end = b.ints(node, 2);
  const Ints step = node.get_input_size() > 3 ? b.ints(node, 3) : Ints(begin.size(), 1);
  Ints shape = sizes(node.get_input_shape(0));
  jit::Value* x = b.input(node, 0);
  std::size_t axis = 0;
  for (std::size_t i = 0; i < begin.size(); ++i) {
    const auto at = static_cast<std::int64_t>(axis);
    if (set(ellipsis, i)) {
      std::size_t later = 0;
      for (std::size_t j = i + 1; j < begin.size(); ++j) later += set(fresh, j) ? 0 : 1;
      axis = shape.size() - later;
    } else if (set(fresh, i)) {
      x = b.call("unsqueeze", {x, at});
      shape.insert(shape.begin() + at, 1);
      ++axis;
    } else if (set(shrink, i)) {
      x = b.call("select", {x, at, begin[i]});
      shape.erase(shape.begin() + at);
    } else {
      const std::int64_t size = shape.at(axis);
      const bool forwards = step[i] > 0;
      const std::int64_t all_begin = forwards ? 0 : size - 1;
      const std::int64_t all_end = forwards ? size : -size - 1;
      const bool whole = step[i] == 1 && set(begin_mask, i) && set(end_mask, i);
      if (!whole) {
        x = sliced(b, x, at, size, set(begin_mask, i) ? all_begin : begin[i],
                   set(end_mask, i) ? all_end : end[i], step[i]);
      }
      ++axis;
    }
  }
  return {x};
}

/// To a shape in which the pictures stay as many as they are.
JitValues broadcast(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  const std::string mode = attributes.text("mode.type", attributes.text("mode", "numpy"));
  Ints to = sizes(node.get_output_shape(0));
  jit::Value* x = b.input(node, 0);
  if (mode == "explicit") {
    Ints own(to.size(), 1);
    const Ints axes = b.ints(node, 2);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      own[static_cast<std::size_t>(axes[i])] =
          static_cast<std::int64_t>(node.get_input_shape(0).at(i));
    }
    x = b.call("reshape", {x, own});
  } else if (const auto axis = b.batch_axis(node)) {
    to[*axis] = -1;
  }
  return {b.call("expand", {x, to})};
}

JitValues tile(GraphBuilder& b, const ov::Node& node) {
  return {b.call("repeat", {b.input(node, 0), b.ints(node, 1)})};
}

/// ATen's pixel_shuffle is the order "depth first".
JitValues depth_to_space(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  const std::int64_t block = attributes.integer("block_size");
  jit::Value* const x = b.input(node, 0);
  if (attributes.text("mode") == "depth_first") return {b.call("pixel_shuffle", {x, block})};
  const Ints s = sizes(node.get_input_shape(0));
  const std::int64_t channels = s.at(1) / block / block;
  jit::Value* const apart =
      b.call("reshape", {x, Ints{-1, block, block, channels, s.at(2), s.at(3)}});
  jit::Value* const beside = b.call("permute", {apart, Ints{0, 3, 4, 1, 5, 2}});
  return {b.call("reshape", {beside, Ints{-1, channels, s[2] * block, s[3] * block}})};
}

/// ATen's pixel_unshuffle is the order "depth first".
JitValues space_to_depth(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  const std::int64_t block = attributes.integer("block_size");
  jit::Value* const x = b.input(node, 0);
  if (attributes.text("mode") == "depth_first") return {b.call("pixel_unshuffle", {x, block})};
  const Ints s = sizes(node.get_input_shape(0));
  jit::Value* const apart =
      b.call("reshape", {x, Ints{-1, s.at(1), s.at(2) / block, block, s.at(3) / block, block}});
  jit::Value* const beside = b.call("permute", {apart, Ints{0, 3, 5, 1, 2, 4}});
  return {b.call("reshape", {beside, Ints{-1, s[1] * block * block, s[2] / block, s[3] / block}})};
}

JitValues shuffle_channels(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  if (wrapped(attributes.integer("axis", 1), node.get_input_shape(0)) != 1) {
    throw std::runtime_error("shuffles another axis than that of the channels");
  }
  return {b.call("channel_shuffle", {b.input(node, 0), attributes.integer("group", 1)})};
}

JitValues roll(GraphBuilder& b, const ov::Node& node) {
  return {b.call("roll", {b.input(node, 0), b.ints(node, 1), b.ints(node, 2)})};
}

}  // namespace

const Rules& shape_rules() {
  static const Rules kRules = {
      {"Broadcast", broadcast},
      {"Concat", concat},
      {"DepthToSpace", depth_to_space},
      {"Reshape", reshape},
      {"Roll", roll},
      {"ShuffleChannels", shuffle_channels},
      {"Slice", slice},
      {"SpaceToDepth", space_to_depth},
      {"Split", split},
      {"Squeeze", reshape},
      {"StridedSlice", strided_slice},
      {"Tile", tile},
      {"Transpose", transpose},
      {"Unsqueeze", reshape},
      {"VariadicSplit", split},
  };
  return kRules;
}

}  // namespace gradcam
