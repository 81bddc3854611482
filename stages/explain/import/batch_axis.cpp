#include "stages/explain/import/batch_axis.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>

namespace gradcam {
namespace {

using Axis = std::optional<std::size_t>;

/// Numbers keep their order: the dimension in front of which lie as many numbers as before.
Axis behind_reshape(std::size_t axis, const ov::Shape& from, const ov::Shape& to) {
  const auto in_front = [](const ov::Shape& shape, std::size_t dims) {
    return std::accumulate(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(dims),
                           std::size_t{1}, std::multiplies<>());
  };
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (in_front(to, i) == in_front(from, axis)) return i;
  }
  return std::nullopt;
}

Axis behind_transpose(std::size_t axis, const Ints& order, std::size_t dims) {
  if (order.empty()) return dims - 1 - axis;
  const auto found = std::ranges::find(order, static_cast<std::int64_t>(axis));
  return found == order.end() ? Axis() : static_cast<std::size_t>(found - order.begin());
}

/// Behind a reduction that takes these axes away.
Axis behind_removal(std::size_t axis, const Ints& removed, std::size_t dims) {
  std::size_t in_front = 0;
  for (const std::int64_t each : removed) {
    const std::size_t at = from_front(each, dims);
    if (at == axis) return std::nullopt;
    in_front += at < axis ? 1 : 0;
  }
  return axis - in_front;
}

Axis behind_gather(std::size_t axis, std::int64_t along, std::size_t dims, std::size_t index_dims) {
  const std::size_t at = from_front(along, dims);
  if (at == axis) return std::nullopt;
  return at < axis ? axis + index_dims - 1 : axis;
}

}  // namespace

std::optional<std::size_t> batch_axis_behind(GraphBuilder& b, const ov::Node& node) {
  // Of several inputs the one with the most dimensions: the others are broadcast to it.
  Axis axis;
  ov::Shape from;
  for (std::size_t i = 0; i < node.get_input_size(); ++i) {
    const Axis own = b.batch_axis(*node.get_input_node_ptr(i));
    if (!own || (axis && node.get_input_shape(i).size() <= from.size())) continue;
    axis = own;
    from = node.get_input_shape(i);
  }
  if (!axis || node.get_output_size() == 0) return std::nullopt;
  const std::string type = node.get_type_name();
  const ov::Shape& to = node.get_output_shape(0);
  if (type == "Reshape" || type == "Squeeze" || type == "Unsqueeze") {
    return behind_reshape(*axis, from, to);
  }
  if (type == "Transpose") return behind_transpose(*axis, b.ints(node, 1), from.size());
  if (type == "Gather" && b.known(node, 1)) {
    return behind_gather(*axis, b.ints(node, 2).at(0), from.size(), node.get_input_shape(1).size());
  }
  if (to.size() < from.size()) {
    if (type.starts_with("Reduce")) return behind_removal(*axis, b.ints(node, 1), from.size());
    return *axis == 0 ? axis : std::nullopt;
  }
  if (type == "StridedSlice" && to.size() > from.size()) return *axis == 0 ? axis : std::nullopt;
  return *axis + (to.size() - from.size());  // broadcasting aligns the last dimensions
}

}  // namespace gradcam
